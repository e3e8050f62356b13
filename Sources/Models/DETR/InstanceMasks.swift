import Base
import Tensors
import Vision

extension DETRSegmentation {
  /// Images whose masks are made at one time.
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
          mask(full, from: slot * images.canvas.height * images.canvas.width, row: images.canvas.width, images.sizes[image], originalSizes[image])
        }
      }
    }
  }

  private func mask(_ logits: [Float], from start: Int, row: Int, _ size: Extent, _ original: Extent) -> RunLengthMask {
    let columns = (0..<original.width).map { min($0 * size.width / original.width, size.width - 1) }
    var flags: [Bool] = []
    flags.reserveCapacity(original.height * original.width)
    for y in 0..<original.height {
      let source = start + min(y * size.height / original.height, size.height - 1) * row
      for x in columns { flags.append(logits[source + x] > 0) }
    }
    return RunLengthMask(height: original.height, width: original.width, flags: flags)
  }
}
