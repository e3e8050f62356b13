import Base
import Data
import Tensors
import Vision

/// A picture and its mask as the network takes them.
struct InpaintingInput: Sendable {
  let size: Int
  /// Red, green and blue in -1...1, row by row.
  let pixels: [Float]
  /// 1 known, 0 hole.
  let known: [Float]

  init(_ sample: InpaintingSample) {
    size = sample.image.height
    pixels = sample.image.symmetricValues
    known = sample.mask.known.map { Float($0) }
  }
}

/// Square pictures of one size with their masks.
struct InpaintingBatch {
  /// `[n, h, w, 3]` in -1...1.
  let images: Tensor
  /// `[n, h, w, 1]`: 1 known, 0 hole.
  let masks: Tensor

  init(images: Tensor, masks: Tensor) { (self.images, self.masks) = (images, masks) }

  /// - Precondition: there is at least one picture, and all have one size.
  init(_ inputs: [InpaintingInput]) {
    let size = inputs.first?.size ?? 0
    require(size > 0 && inputs.allSatisfy { $0.size == size }, "InpaintingBatch: \(inputs.count) pictures, expected some of one size")
    images = Tensor(inputs.flatMap(\.pixels), shape: [inputs.count, size, size, 3])
    masks = Tensor(inputs.flatMap(\.known), shape: [inputs.count, size, size, 1])
  }
}

extension Image {
  /// Its samples as `v / 127.5 - 1`.
  var symmetricValues: [Float] { pixels.map { Float($0) / 127.5 - 1 } }

  /// An RGB picture of values in -1...1: rounded to the nearest level, and limited.
  init(symmetric values: some Collection<Float>, height: Int, width: Int) {
    self.init(height: height, width: width, channels: 3, pixels: values.map { UInt8(min(max(($0 * 127.5 + 127.5).rounded(), 0), 255)) })
  }
}
