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
    var vectors = BilinearGrid(rows: rows, columns: columns, sourceWidth: width, channels: 2).values(of: self.vectors) { $0 }
    vectors.withUnsafeMutableBufferPointer { vectors in
      for i in stride(from: 0, to: vectors.count, by: 2) {
        vectors[i] *= factor.x
        vectors[i + 1] *= factor.y
      }
    }
    return FlowField(height: rows.count, width: columns.count, vectors: vectors, isValid: validity(rows: rows, columns: columns))
  }

  private func validity(rows: ResamplingAxis, columns: ResamplingAxis) -> [Bool] {
    if isValid.allSatisfy({ $0 }) { return [] }
    var result: [Bool] = []
    result.reserveCapacity(rows.count * columns.count)
    for y in 0..<rows.count {
      for x in 0..<columns.count {
        func isKnown(_ row: Int) -> Bool {
          isValid[row * width + columns.lower[x]] && (columns.weight[x] == 0 || isValid[row * width + columns.upper[x]])
        }
        result.append(isKnown(rows.lower[y]) && (rows.weight[y] == 0 || isKnown(rows.upper[y])))
      }
    }
    return result
  }
}
