import Base

extension Image {
  /// The image at another size: each sample the average of the source's pixels under a triangle as wide as the shrinking asks for.
  ///
  /// One axis after the other, with samples rounded to whole levels between: the width first, but the height if that shrinks while
  /// the width grows. The values are Pillow's, within one level.
  /// - Source: the documented behaviour of Pillow's `resize` with `BILINEAR`.
  public func resizedAntialiased(height newHeight: Int, width newWidth: Int) -> Image {
    require(height > 0 && width > 0 && newHeight > 0 && newWidth > 0, "Image: \(height)x\(width) to \(newHeight)x\(newWidth)")
    let isHeightFirst = newHeight < height && newWidth > width
    let first = stretched(isHeightFirst ? newHeight : newWidth, isHorizontal: !isHeightFirst)
    return first.stretched(isHeightFirst ? newWidth : newHeight, isHorizontal: isHeightFirst)
  }

  /// One axis through a filter; the samples along the other axis and the channels stand side by side.
  private func stretched(_ length: Int, isHorizontal: Bool) -> Image {
    guard length != (isHorizontal ? width : height) else { return self }
    let filter = TriangleFilter(isHorizontal ? width : height, to: length)
    let (outer, inner) = isHorizontal ? (height, channels) : (1, width * channels)
    let source = isHorizontal ? width : height
    let target = filter.spans.count
    var result = [UInt8](repeating: 0, count: outer * target * inner)
    var sums = [Int32](repeating: 0, count: inner)
    pixels.withUnsafeBufferPointer { pixels in
      for row in 0..<outer {
        for (place, span) in filter.spans.enumerated() {
          for k in 0..<inner { sums[k] = TriangleFilter.half }
          for (offset, weight) in filter.weights[span.weights].enumerated() {
            let start = (row * source + span.first + offset) * inner
            for k in 0..<inner { sums[k] &+= weight &* Int32(pixels[start + k]) }
          }
          let start = (row * target + place) * inner
          for k in 0..<inner { result[start + k] = UInt8(min(max(sums[k] >> TriangleFilter.digits, 0), 255)) }
        }
      }
    }
    return Image(height: isHorizontal ? height : target, width: isHorizontal ? target : width, channels: channels, pixels: result)
  }
}

/// For each output position along one axis, the source's positions under its triangle and their weights, which add up to 1, as whole
/// numbers: 8 bits of a sample and 22 of a weight fit into 32.
private struct TriangleFilter {
  let spans: [(first: Int, weights: Range<Int>)]
  let weights: [Int32]
  /// Binary digits of a weight behind the point.
  static let digits: Int32 = 22
  static let half: Int32 = 1 << (digits - 1)

  init(_ count: Int, to outputs: Int) {
    let scale = Double(count) / Double(outputs)
    let support = max(scale, 1)
    var spans: [(first: Int, weights: Range<Int>)] = []
    var all: [Int32] = []
    for output in 0..<outputs {
      let center = (Double(output) + 0.5) * scale
      let first = max(Int(center - support + 0.5), 0)
      let end = min(Int(center + support + 0.5), count)
      let values = (first..<end).map { max(1 - abs((Double($0) - center + 0.5) / support), 0) }
      let sum = values.reduce(0, +)
      spans.append((first, all.count..<all.count + values.count))
      all += values.map { Int32($0 / sum * Double(1 << Self.digits) + 0.5) }
    }
    self.spans = spans
    weights = all
  }
}
