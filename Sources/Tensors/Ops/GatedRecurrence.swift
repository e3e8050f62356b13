import Base
import CKernels

// The element-wise halves of a gated recurrent unit, each one pass. Both gates come from one product: `gates [..., 2·hidden]` holds the
// update gate z and then the reset gate r, before the sigmoid.

extension Tensor {
  /// The input of the candidate's product, `[σ(r) · h, x]`.
  /// - Shape: gates `[..., 2·hidden]`, joined `[h, x]`, `[..., width]` → `[..., width]`.
  /// - Gradient: to both; the gates are computed again rather than kept.
  /// - Source: Cho et al. 2014, equation 8.
  public static func gruReset(gates: Tensor, joined: Tensor) -> Tensor {
    gates.requireSamePrecision(joined, "gruReset")
    let hidden = (gates.shape.last ?? 0) / 2, width = joined.shape.last ?? 0
    require(gates.shape == joined.shape.dropLast() + [2 * hidden] && hidden <= width,
      "gruReset: gates of shape \(gates.shape) for state and input of shape \(joined.shape)")
    let y = joined.fresh(), rows = joined.count / Swift.max(width, 1), grain = Swift.max(1, (1 << 13) / Swift.max(width, 1))
    parallelFor(rows, grain: grain) { range in
      let r = range.lowerBound
      y.kernels.gru_reset(gates.address(2 * r * hidden), joined.address(r * width), range.count, hidden, width, y.address(r * width))
    }
    /// Writes or adds one of the two gradients.
    @Sendable func backward(_ dy: Tensor, add: Bool, gates dgates: Tensor? = nil, joined djoined: Tensor? = nil) {
      parallelFor(rows, grain: grain) { range in
        let r = range.lowerBound
        dy.kernels.gru_reset_backward(
          dy.address(r * width), gates.address(2 * r * hidden), joined.address(r * width), range.count, hidden, width, add ? 1 : 0,
          dgates?.address(2 * r * hidden), djoined?.address(r * width))
      }
    }
    return y.recorded(.gruReset, from: [gates, joined], rule: { dy in
      let s = gates.sliced(-1, hidden..<2 * hidden).sigmoid(), parts = dy.split(-1, sizes: [hidden, width - hidden])
      let dr = parts[0] * joined.sliced(-1, 0..<hidden) * (s * (1 - s))
      return [dr.padded(-1, before: hidden, after: 0), concatenate([parts[0] * s, parts[1]], axis: -1)]
    }) { dy in
      [gates.needsGradient ? GradientAccumulation(make: {
        let fresh = gates.fresh()
        backward(dy, add: false, gates: fresh)
        return fresh
      }, add: { backward(dy, add: true, gates: $0) }) : nil,
       joined.needsGradient ? GradientAccumulation(make: {
        let fresh = joined.fresh()
        backward(dy, add: false, joined: fresh)
        return fresh
      }, add: { backward(dy, add: true, joined: $0) }) : nil]
    }
  }

  /// The next state, `(1 - σ(z)) · h + σ(z) · tanh(candidate)`.
  /// - Shape: gates `[..., 2·hidden]`, candidate (before the tanh) and state `[..., hidden]` → `[..., hidden]`.
  /// - Gradient: to all three; the gates are computed again rather than kept.
  /// - Source: Cho et al. 2014, equation 7, with z for 1 - z, as in RAFT and PyTorch's order of terms.
  public static func gruUpdate(gates: Tensor, candidate: Tensor, state h: Tensor) -> Tensor {
    gates.requireSamePrecision(candidate, "gruUpdate")
    gates.requireSamePrecision(h, "gruUpdate")
    let hidden = h.shape.last ?? 0
    require(candidate.shape == h.shape && gates.shape == h.shape.dropLast() + [2 * hidden],
      "gruUpdate: gates of shape \(gates.shape), candidate of shape \(candidate.shape) and state of shape \(h.shape)")
    let y = h.fresh(), rows = h.count / Swift.max(hidden, 1), grain = Swift.max(1, (1 << 13) / Swift.max(hidden, 1))
    parallelFor(rows, grain: grain) { range in
      let r = range.lowerBound, at = r * hidden
      y.kernels.gru_update(gates.address(2 * at), candidate.address(at), h.address(at), range.count, hidden, y.address(at))
    }
    return y.recorded(.gruUpdate, from: [gates, candidate, h]) { dy in
      guard !Recording.isOn else {
        let z = gates.sliced(-1, 0..<hidden).sigmoid(), q = candidate.tanh()
        return [(dy * (q - h) * (z * (1 - z))).padded(-1, before: 0, after: hidden), dy * z * (1 - q.squared()), dy * (1 - z)]
      }
      let dgates = gates.fresh(), dcandidate = h.fresh(), dh = h.fresh()
      parallelFor(rows, grain: grain) { range in
        let r = range.lowerBound, at = r * hidden
        dy.kernels.gru_update_backward(dy.address(at), gates.address(2 * at), candidate.address(at), h.address(at), range.count, hidden,
                                       dgates.address(2 * at), dcandidate.address(at), dh.address(at))
      }
      return [dgates, dcandidate, dh]
    }
  }
}
