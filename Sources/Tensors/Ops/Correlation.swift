import Base

extension Tensor {
  /// RAFT's lookup: for every query, the correlations in a square window around its centre on every level of a pyramid, sampled
  /// bilinearly, zero outside.
  /// - Shape: level `m` of the pyramid `[queries, hₘ, wₘ]`, centres `[queries, 2]` as `(x, y)` → `[queries, levels · (2·radius + 1)²]`; the
  ///   sample of a level at offset `(ox, oy)` is its channel `(ox + radius)(2·radius + 1) + oy + radius`: the slow index moves along x.
  /// - Parameter scale: level `m` multiplies the centres by `scale · 2⁻ᵐ`.
  /// - Gradient: to the levels, added in place: all lookups of one volume share its gradient. None to the centres, which RAFT detaches;
  ///   recorded centres trap.
  /// - Source: Teed, Deng, "RAFT", ECCV 2020, section 3.2; the window is the full square, as in the authors' code.
  public static func correlationLookup(_ pyramid: [Tensor], centres: Tensor, radius: Int, scale: Double = 1) -> Tensor {
    let queries = centres.shape2.0, side = 2 * radius + 1, window = side * side, channels = pyramid.count * window
    for level in pyramid {
      level.requireSamePrecision(centres, "correlationLookup")
      require(level.rank == 3 && level.shape[0] == queries && centres.shape[1] == 2,
        "correlationLookup: centres \(centres.shape) for a volume \(level.shape); expected [queries, 2] and [queries, h, w]")
    }
    require(!centres.isRecorded, "correlationLookup: no gradient flows to the centres; pass centres.detached()")
    let y = centres.fresh([queries, channels])
    parallelFor(queries, grain: 64) { range in
      let q = range.lowerBound
      for (m, level) in pyramid.enumerated() {
        let (_, h, w) = level.shape3
        y.kernels.lookup(level.address(q * h * w), centres.address(2 * q), scale / Double(1 << m), range.count, h, w, Int32(radius),
                         channels, y.address(q * channels + m * window))
      }
    }
    let inputs = pyramid.map(\.withoutElements)
    return y.recorded(.correlationLookup, from: pyramid, rule: { _ in stop("correlationLookup: cannot be differentiated twice") }) { dy in
      inputs.enumerated().map { m, input in
        guard let shape = input.ifNeeded else { return nil }
        let (h, w) = (shape[1], shape[2])
        return .onto(zeros: shape, dy.precision) { dvolume in
          parallelFor(queries, grain: 64) { range in
            let q = range.lowerBound
            dvolume.kernels.lookup_backward(dy.address(q * channels + m * window), channels, centres.address(2 * q), scale / Double(1 << m),
                                            range.count, h, w, Int32(radius), dvolume.address(q * h * w))
          }
        }
      }
    }
  }

  /// The lookup in this one volume: see the lookup in a pyramid.
  public func correlationLookup(_ centres: Tensor, radius: Int, scale: Double) -> Tensor {
    Tensor.correlationLookup([self], centres: centres, radius: radius, scale: scale)
  }
}
