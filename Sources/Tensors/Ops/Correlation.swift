extension Tensor {
  /// RAFT's lookup: for every query, the correlations in a square window around its centre, sampled bilinearly, zero outside.
  /// - Shape: volume `[queries, h, w]` (this tensor), centres `[queries, 2]` as `(x, y)` → `[queries, (2·radius + 1)²]`; the sample at
  ///   offset `(ox, oy)` is channel `(ox + radius)(2·radius + 1) + oy + radius`: the slow index moves along x.
  /// - Parameter scale: the centres are multiplied by it: `2⁻ᵐ` for pyramid level `m`.
  /// - Gradient: to the volume. None to the centres, which RAFT detaches; recorded centres trap.
  /// - Source: Teed, Deng, "RAFT", ECCV 2020, section 3.2; the window is the full square, as in the authors' code.
  public func correlationLookup(_ centres: Tensor, radius: Int, scale: Double) -> Tensor {
    let (queries, h, w) = shape3
    requireSamePrecision(centres, "correlationLookup")
    require(centres.shape == [queries, 2], "correlationLookup: centres of shape \(centres.shape) for \(queries) queries; expected [\(queries), 2]")
    require(!centres.isRecorded, "correlationLookup: no gradient flows to the centres; pass centres.detached()")
    let window = (2 * radius + 1) * (2 * radius + 1)
    let (volume, y) = (self, fresh([queries, window]))
    parallelFor(queries, grain: 64) { range in
      let q = range.lowerBound
      y.kernels.lookup(volume.address(q * h * w), centres.address(2 * q), scale, range.count, h, w, Int32(radius), window, y.address(q * window))
    }
    return y.recorded(.correlationLookup, from: [volume]) { dy in
      require(!Recording.isOn, "correlationLookup: cannot be differentiated twice")
      let dvolume = Tensor.zeros([queries, h, w], dy.precision)
      parallelFor(queries, grain: 64) { range in
        let q = range.lowerBound
        dvolume.kernels.lookup_backward(dy.address(q * window), window, centres.address(2 * q), scale, range.count, h, w, Int32(radius),
          dvolume.address(q * h * w))
      }
      return [dvolume]
    }
  }
}
