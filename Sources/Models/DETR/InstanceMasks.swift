import Base
import Tensors
import Vision

extension DETRSegmentation {
  /// Slots whose masks are made at one time.
  private static let slotsAtOnce = 25

  /// The masks of all slots of an output, by image: pixels of the original image where the probability is above one half.
  ///
  /// Logits are enlarged bilinearly to the canvas, cut to the image, judged, and brought to the original size by the nearest pixel.
  public func instanceMasks(_ output: DETR.Output, _ images: PaddedImages, originalSizes: [Extent]) -> [[RunLengthMask]] {
    let queries = output.logits.shape[1]
    return (0..<images.count).map { image in
      stride(from: 0, to: queries, by: Self.slotsAtOnce).flatMap { start -> [RunLengthMask] in
        let slots = (start..<min(start + Self.slotsAtOnce, queries)).map { (image: image, query: $0) }
        let logits = masks(of: slots, output).detached()
        let (k, h, w) = logits.shape3
        let full = logits.reshaped(to: [k, h, w, 1]).resized(to: images.canvas).floats
        return (0..<k).map { slot in
          let start = slot * images.canvas.height * images.canvas.width
          return mask(full, from: start, row: images.canvas.width, images.sizes[image], originalSizes[image])
        }
      }
    }
  }

  private func mask(_ logits: [Float], from start: Int, row: Int, _ size: Extent, _ original: Extent) -> RunLengthMask {
    let columns = nearest(original.width, of: size.width)
    var flags: [Bool] = []
    flags.reserveCapacity(original.height * original.width)
    for y in nearest(original.height, of: size.height) {
      for x in columns { flags.append(logits[start + y * row + x] > 0) }
    }
    return RunLengthMask(height: original.height, width: original.width, flags: flags)
  }

  /// The nearest of `length` pixels for each of `count`; in single precision, as PyTorch's `interpolate` finds it.
  private func nearest(_ count: Int, of length: Int) -> [Int] {
    let scale = Float(length) / Float(count)
    return (0..<count).map { min(Int(Float($0) * scale), length - 1) }
  }
}
