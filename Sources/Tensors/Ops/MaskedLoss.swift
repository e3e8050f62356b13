import Base
import CKernels

extension Tensor {
  /// The scalar `Σ mask · |x - target|`, in one pass.
  /// - Shape: `x` (this tensor) and target `[..., c]`, mask `[..., 1]` → `[]`. Where the mask is 0 the target may be anything.
  /// - Gradient: `dy · mask · sign(x - target)` to `x`; none to target and mask, which must not be recorded.
  /// - Numerics: accumulated in double, in blocks of fixed size.
  public func maskedL1(_ target: Tensor, mask: Tensor) -> Tensor {
    requireSamePrecision(target, "maskedL1")
    requireSamePrecision(mask, "maskedL1")
    require(target.shape == shape && mask.shape == shape.dropLast() + [1],
      "maskedL1: target of shape \(target.shape) and mask of shape \(mask.shape) for a tensor of shape \(shape)")
    require(!target.isRecorded && !mask.isRecorded, "maskedL1: no gradient flows to the target and the mask; pass them detached()")
    let x = self, pixels = mask.count, channels = shape[rank - 1], grain = Swift.max(1, (1 << 14) / Swift.max(channels, 1))
    let partial = Tensor(uninitialized: [Swift.max((pixels + grain - 1) / grain, 1)], .float64)
    partial.address().assumingMemoryBound(to: Double.self)[0] = 0
    parallelFor(pixels, grain: grain) { range in
      let p = range.lowerBound, at = p * channels
      partial.address().assumingMemoryBound(to: Double.self)[p / grain] =
        x.kernels.masked_l1(x.address(at), target.address(at), mask.address(p), range.count, channels)
    }
    return Tensor(partial.doubles.reduce(0, +), precision: precision).recorded(.maskedL1, from: [x]) { dy in
      guard !Recording.isOn else { return [dy * (mask * (x - target).detached().sign())] }
      let dx = x.fresh(), scale = dy.item
      parallelFor(pixels, grain: grain) { range in
        let p = range.lowerBound, at = p * channels
        x.kernels.masked_l1_backward(x.address(at), target.address(at), mask.address(p), scale, range.count, channels, dx.address(at))
      }
      return [dx]
    }
  }
}
