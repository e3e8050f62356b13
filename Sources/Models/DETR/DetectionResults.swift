import Base
import Tensors
import Vision

/// One slot's object in an image.
public struct Detection: Sendable, Equatable {
  /// The slot.
  public let query: Int
  /// The most probable class, whatever the probability that there is no object.
  public let label: Int
  /// The probability of that class.
  public let score: Double
  /// In pixels of the original image.
  public let box: BoundingBox
}

extension DETR.Prediction {
  /// The objects of all slots, in the order of the slots: nothing is left out, however unlikely.
  /// - Parameter sizes: height and width of the original images.
  public func detections(_ sizes: [Extent]) -> [[Detection]] {
    let (n, queries, classes) = logits.shape3
    require(sizes.count == n, "DETR: \(sizes.count) sizes for \(n) images")
    let probabilities = logits.detached().softmax().doubles
    let boxes = self.boxes.detached().doubles
    return (0..<n).map { image in
      let (width, height) = (Double(sizes[image].width), Double(sizes[image].height))
      return (0..<queries).map { query in
        let slot = image * queries + query
        let row = probabilities[slot * classes..<(slot + 1) * classes - 1]
        let best = row.indices.reduce(row.startIndex) { row[$1] > row[$0] ? $1 : $0 }
        let share = BoundingBox(centered: boxes[4 * slot..<4 * slot + 4])
        return Detection(
          query: query, label: best - row.startIndex, score: row[best],
          box: BoundingBox(x: share.x * width, y: share.y * height, width: share.width * width, height: share.height * height))
      }
    }
  }
}
