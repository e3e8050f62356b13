extension Image {
  /// The image resized bilinearly by a factor per axis, rounded to the nearest sample value (half up).
  ///
  /// See `ResamplingAxis.init(resizing:by:)` for the size and the sampling positions.
  public func resized(scaleX: Double, scaleY: Double) -> Image {
    sampled(rows: ResamplingAxis(resizing: height, by: scaleY), columns: ResamplingAxis(resizing: width, by: scaleX))
  }

  /// The image read at the crossings of two axes, bilinearly, rounded to the nearest sample value (half up).
  /// - Precondition: the axes were made for this height and width.
  public func sampled(rows: ResamplingAxis, columns: ResamplingAxis) -> Image {
    let channels = channels, width = width, outputCount = rows.count * columns.count * channels
    let pixels = self.pixels.withUnsafeBufferPointer { source in
      [UInt8](unsafeUninitializedCapacity: outputCount) { target, filled in
        for y in 0..<rows.count {
          let top = rows.lower[y] * width, bottom = rows.upper[y] * width, dy = rows.weight[y]
          for x in 0..<columns.count {
            let left = columns.lower[x], right = columns.upper[x], dx = columns.weight[x]
            for c in 0..<channels {
              let a = Float(source[(top + left) * channels + c]), b = Float(source[(top + right) * channels + c])
              let d = Float(source[(bottom + left) * channels + c]), e = Float(source[(bottom + right) * channels + c])
              let above = a + dx * (b - a), below = d + dx * (e - d)
              target[(y * columns.count + x) * channels + c] = UInt8(above + dy * (below - above) + 0.5)
            }
          }
        }
        filled = outputCount
      }
    }
    return Image(height: rows.count, width: columns.count, channels: channels, pixels: pixels)
  }
}

extension FlowField {
  /// The field resized bilinearly by a factor per axis; `u` is multiplied by `scaleX`, `v` by `scaleY`, so the vectors count pixels of
  /// the new size. A vector is valid if all that it blends are.
  public func resized(scaleX: Double, scaleY: Double) -> FlowField {
    sampled(rows: ResamplingAxis(resizing: height, by: scaleY), columns: ResamplingAxis(resizing: width, by: scaleX),
            times: SIMD2(Float(scaleX), Float(scaleY)))
  }

  /// The field read at the crossings of two axes, bilinearly, each component multiplied by its factor.
  ///
  /// A result is valid if all vectors with a weight above zero are.
  /// - Precondition: the axes were made for this height and width.
  public func sampled(rows: ResamplingAxis, columns: ResamplingAxis, times factor: SIMD2<Float>) -> FlowField {
    var result = FlowField(height: rows.count, width: columns.count, vectors: Array(repeating: 0, count: 2 * rows.count * columns.count))
    for y in 0..<rows.count {
      let top = rows.lower[y] * width, bottom = rows.upper[y] * width, dy = rows.weight[y]
      for x in 0..<columns.count {
        let left = columns.lower[x], right = columns.upper[x], dx = columns.weight[x]
        let above = blend(top + left, top + right, dx), below = blend(bottom + left, bottom + right, dx)
        let i = y * columns.count + x
        let value = (above.vector + dy * (below.vector - above.vector)) * factor
        result.vectors[2 * i] = value.x
        result.vectors[2 * i + 1] = value.y
        result.isValid[i] = above.isValid && (dy == 0 || below.isValid)
      }
    }
    return result
  }

  private func blend(_ left: Int, _ right: Int, _ weight: Float) -> (vector: SIMD2<Float>, isValid: Bool) {
    let a = SIMD2(vectors[2 * left], vectors[2 * left + 1]), b = SIMD2(vectors[2 * right], vectors[2 * right + 1])
    return (a + weight * (b - a), isValid[left] && (weight == 0 || isValid[right]))
  }
}
