import Base
import Data
import Tensors
import Vision

/// Pictures of one size with their labels as the network takes them.
struct SegmentationBatch {
  /// `[n, h, w, 3]`, normalised.
  let images: Tensor
  /// Classes image by image, row by row; 255 is ignored.
  let labels: [Int]
  let size: Extent

  /// - Precondition: there is at least one picture, and all have one size.
  init(_ inputs: [SegmentationInput]) {
    let (height, width) = (inputs.first?.height ?? 0, inputs.first?.width ?? 0)
    require(!inputs.isEmpty && inputs.allSatisfy { $0.height == height && $0.width == width },
            "SegmentationBatch: \(inputs.count) pictures, expected some of one size")
    images = Tensor(inputs.flatMap(\.pixels), shape: [inputs.count, height, width, 3])
    labels = inputs.flatMap { $0.labels.values.map(Int.init) }
    size = Extent(height: height, width: width)
  }
}
