import Base
import CKernels

extension Tensor {
  /// RAFT's learned upsampling: every fine pixel is a convex combination of the 3x3 coarse pixels around its own, zero outside.
  ///
  /// `y[f·i + a, f·j + b] = Σₖ w[i, j, k, a, b] · x[i + ⌊k / 3⌋ - 1, j + k mod 3 - 1]` with `w = softmax over k of scale · logits`.
  /// - Shape: `x [n, h, w, c]`, logits `[n, h, w, 9 · factor²]`, whose channel `k·factor² + a·factor + b` belongs to neighbour `k`
  ///   (row-major) and to row `a` and column `b` within the coarse pixel → `[n, factor · h, factor · w, c]`.
  /// - Gradient: to both, first order; the weights are computed again rather than kept.
  /// - Numerics: the largest of the nine logits is subtracted first; near the border the missing neighbours' weight is lost, as in the
  ///   paper's code.
  /// - Source: Teed, Deng, "RAFT", ECCV 2020, section 3.3, "Upsampling".
  public func convexUpsampled(by logits: Tensor, factor: Int, scale: Double = 1) -> Tensor {
    let (n, h, w, c) = shape4
    requireSamePrecision(logits, "convexUpsampled")
    require((1...8).contains(factor) && scale > 0, "convexUpsampled: factor \(factor) and scale \(scale); expected 1 to 8, and above 0")
    require(logits.shape == [n, h, w, 9 * factor * factor],
      "convexUpsampled: logits of shape \(logits.shape) for a tensor of shape \(shape); expected \([n, h, w, 9 * factor * factor])")
    let (x, y) = (self, fresh([n, factor * h, factor * w, c])), count = 9 * factor * factor
    /// Calls `body` for every image and block of coarse rows.
    @Sendable func forEachBlock(_ body: @escaping @Sendable (inout apus_convex_upsampling, _ image: Int, _ rows: Range<Int>) -> Void) {
      let block = Swift.max(1, 64 / Swift.max(w, 1)), blocks = (h + block - 1) / block
      parallelFor(n * blocks) { range in
        for task in range {
          var options = apus_convex_upsampling(height: h, width: w, channels: c, factor: factor, scale: scale)
          let first = task % blocks * block
          body(&options, task / blocks, first..<Swift.min(h, first + block))
        }
      }
    }
    forEachBlock { options, image, rows in
      let pixels = image * h * w
      y.kernels.convex_upsample(
        &options, logits.address(pixels * count), x.address(pixels * c), rows.lowerBound, rows.upperBound,
        y.address(pixels * factor * factor * c))
    }
    return y.recorded(.convexUpsampling, from: [x, logits]) { dy in
      guard !Recording.isOn else { stop("convexUpsampled: cannot be differentiated twice") }
      let dx = x.fresh(), dlogits = logits.fresh(), shares = x.fresh([n, h, w, 9, c])
      forEachBlock { options, image, rows in
        let pixels = image * h * w
        dy.kernels.convex_upsample_backward(
          &options, dy.address(pixels * factor * factor * c), logits.address(pixels * count), x.address(pixels * c), rows.lowerBound,
          rows.upperBound, dlogits.address(pixels * count), shares.address(pixels * 9 * c))
      }
      forEachBlock { options, image, rows in
        let pixels = image * h * w
        dx.kernels.convex_gather(&options, shares.address(pixels * 9 * c), rows.lowerBound, rows.upperBound, dx.address(pixels * c))
      }
      return [x.needsGradient ? dx : nil, logits.needsGradient ? dlogits : nil]
    }
  }
}
