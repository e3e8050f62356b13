import Base
import Foundation

/// What tells whether a detection belongs to a track: numbers of about one size, for a learned affinity.
public struct PairFeatures: Sendable, Equatable {
  /// How many numbers there are.
  public static let count = 9

  /// Cosine distance of the appearance, and whether it is known; IoU of the detection with the predicted and with the last box; the
  /// distance of its centre from that of the predicted box in sizes of this, at most 5, over 5; `log` of the ratios of width and height,
  /// within ±1; frames since the track was seen, at most 30, over 30; the detection's score.
  public let values: [Double]

  /// - Parameters:
  ///   - predicted: the box of the track in this frame, by its motion.
  ///   - last: the box where it was seen last.
  ///   - gap: frames since then, at least 1.
  ///   - cosineDistance: of the appearance; nil if it is not known.
  public init(predicted: BoundingBox, last: BoundingBox, gap: Int, detection: DetectedBox, cosineDistance: Double? = nil) {
    let box = detection.box
    func logarithm(_ ratio: Double) -> Double { log(max(ratio, 1e-3)).clamped(to: -1...1) }
    let way = (box.center - predicted.center) / SIMD2(max(predicted.width, 1), max(predicted.height, 1))
    let distance = (way * way).sum().squareRoot()
    values = [
      cosineDistance ?? 0, cosineDistance == nil ? 0 : 1, predicted.iou(with: box), last.iou(with: box),
      (distance.isNaN ? 5 : min(distance, 5)) / 5, logarithm(box.width / max(last.width, 1e-6)),
      logarithm(box.height / max(last.height, 1e-6)), Double(min(gap, 30)) / 30, detection.score.clamped(to: -1...1),
    ]
  }
}
