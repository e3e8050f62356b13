import Base
import Data
import Tensors
import Vision

/// One body as the network takes it, made by the loader's threads.
struct PoseElement: Sendable {
  let sample: PoseSample
  /// Row-major, RGB, normalised.
  let pixels: [Float]
  let target: Heatmaps
  /// Of each keypoint: 0 or 1.
  let weights: [Float]

  init(_ sample: PoseSample, _ crop: PoseCrop) {
    self.sample = sample
    pixels = PixelNormalization()(sample.image)
    (target, weights) = crop.targets(sample.keypoints)
  }
}

/// Bodies as tensors.
struct PoseBatch {
  /// `[n, h, w, 3]`.
  let images: Tensor
  /// `[n, h / 4, w / 4, keypoints]`.
  let targets: Tensor
  /// `[n, keypoints]`.
  let weights: Tensor

  init(_ elements: [PoseElement], _ crop: PoseCrop) {
    let keypoints = elements.first?.weights.count ?? 0
    images = Tensor(elements.flatMap(\.pixels), shape: [elements.count, crop.height, crop.width, 3])
    targets = Tensor(elements.flatMap(\.target.values), shape: [elements.count, crop.heatmapHeight, crop.heatmapWidth, keypoints])
    weights = Tensor(elements.flatMap(\.weights), shape: [elements.count, keypoints])
  }
}

extension Heatmaps {
  /// The maps of each image of `[n, h, w, keypoints]`.
  static func list(of tensor: Tensor) -> [Heatmaps] {
    let (n, h, w, k) = tensor.shape4
    let values = tensor.floats
    let size = h * w * k
    return (0..<n).map { Heatmaps(height: h, width: w, count: k, values: Array(values[$0 * size..<($0 + 1) * size])) }
  }

  /// The share of keypoints that are found within a tenth of half the map, of those with a target; nil if none has one.
  ///
  /// A measure for the training log only: the distance is in heatmaps of the crop's own proportions, whatever the body's size.
  /// - Source: `accuracy` of HRNet's authors: distances over (height, width) / 10, threshold 0.5, targets at a coordinate above 1.
  static func accuracy(_ found: [Heatmaps], _ targets: [Heatmaps]) -> Double? {
    guard let first = targets.first else { return nil }
    var shares: [Double] = []
    let norm = SIMD2(Double(first.height), Double(first.width)) / 10
    let pairs = zip(found, targets).map { (found: $0.cells(), target: $1.cells()) }
    for k in 0..<first.count {
      let distances = pairs.compactMap { pair -> Double? in
        guard pair.target[k].x > 1, pair.target[k].y > 1 else { return nil }
        let d = (pair.found[k] - pair.target[k]) / norm
        return (d * d).sum().squareRoot()
      }
      if !distances.isEmpty { shares.append(Double(distances.count { $0 < 0.5 }) / Double(distances.count)) }
    }
    return shares.isEmpty ? nil : shares.reduce(0, +) / Double(shares.count)
  }

  /// The highest cell of each map.
  private func cells() -> [SIMD2<Double>] { peaks().map { SIMD2($0.position.x.rounded(), $0.position.y.rounded()) } }
}
