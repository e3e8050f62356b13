/// Bilinear sampling of interleaved channels at the crossings of two axes: along the columns first, then along the rows.
package struct BilinearGrid {
  let rows: ResamplingAxis
  let columns: ResamplingAxis
  let sourceWidth: Int
  let channels: Int

  package init(rows: ResamplingAxis, columns: ResamplingAxis, sourceWidth: Int, channels: Int) {
    self.rows = rows
    self.columns = columns
    self.sourceWidth = sourceWidth
    self.channels = channels
  }

  /// The blended values, row-major and interleaved: `a + weight · (b - a)` along each axis.
  package func values<Sample>(of samples: [Sample], _ convert: (Sample) -> Float) -> [Float] {
    guard let first = zip(rows.lower, rows.upper).map(min).min(), let last = zip(rows.lower, rows.upper).map(max).max() else { return [] }
    let blended = blendColumns(of: samples, from: first, through: last, convert)
    let width = columns.count * channels
    return blended.withUnsafeBufferPointer { blended in
      [Float](unsafeUninitializedCapacity: rows.count * width) { target, filled in
        for y in 0..<rows.count {
          let top = (rows.lower[y] - first) * width
          let bottom = (rows.upper[y] - first) * width
          let weight = rows.weight[y]
          for i in 0..<width { target[y * width + i] = blended[top + i] + weight * (blended[bottom + i] - blended[top + i]) }
        }
        filled = rows.count * width
      }
    }
  }

  /// The source rows `first...last`, each sampled along the columns.
  private func blendColumns<Sample>(of samples: [Sample], from first: Int, through last: Int, _ convert: (Sample) -> Float) -> [Float] {
    let count = columns.count
    let channels = channels
    return samples.withUnsafeBufferPointer { source in
      columns.lower.withUnsafeBufferPointer { lower in
        columns.upper.withUnsafeBufferPointer { upper in
          columns.weight.withUnsafeBufferPointer { weight in
            [Float](unsafeUninitializedCapacity: (last - first + 1) * count * channels) { target, filled in
              for y in first...last {
                for x in 0..<count {
                  let left = (y * sourceWidth + lower[x]) * channels
                  let right = (y * sourceWidth + upper[x]) * channels
                  for c in 0..<channels {
                    let a = convert(source[left + c])
                    target[filled + c] = a + weight[x] * (convert(source[right + c]) - a)
                  }
                  filled += channels
                }
              }
            }
          }
        }
      }
    }
  }
}
