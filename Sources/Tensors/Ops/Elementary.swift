import Base
import CKernels

extension Tensor {
  /// Applies a kernel of one argument; a plain value.
  func map(_ function: apus_unary, _ p: Double = 0, _ q: Double = 0) -> Tensor {
    let (x, y, k) = (self, fresh(), kernels)
    parallelFor(count, grain: 1 << 15) { range in
      k.unary(Int32(function.rawValue), x.address(range.lowerBound), y.address(range.lowerBound), range.count, p, q)
    }
    return y
  }

  /// `y = eˣ`. - Gradient: `dy · y`. - Numerics: overflows to ∞ above 88.7 (float32).
  public func exp() -> Tensor {
    map(APUS_EXP).recordedWithOutput(.exp, from: [self]) { dy, y in [dy * y] }
  }

  /// Natural logarithm. - Gradient: `dy / x`. - Numerics: -∞ at 0, NaN below.
  public func log() -> Tensor {
    map(APUS_LOG).recorded(.log, from: [self]) { dy in [dy / self] }
  }

  /// `y = √x`. - Gradient: `dy / 2y`. - Numerics: the gradient is infinite at 0; NaN below.
  public func sqrt() -> Tensor {
    map(APUS_SQRT).recordedWithOutput(.sqrt, from: [self]) { dy, y in [dy / (y * 2)] }
  }

  /// `|x|`. - Gradient: `dy · sign(x)`, 0 at 0.
  public func abs() -> Tensor {
    map(APUS_ABS).recorded(.abs, from: [self]) { dy in [dy * self.sign()] }
  }

  /// `x²`. - Gradient: `2 x dy`.
  public func squared() -> Tensor {
    map(APUS_SQUARE).recorded(.square, from: [self]) { dy in [dy * (self * 2)] }
  }

  /// `x` to a constant power. - Gradient: `dy · p · xᵖ⁻¹`. - Numerics: NaN for negative `x` and fractional `p`.
  public func power(_ p: Double) -> Tensor {
    map(APUS_POWER, p).recorded(.power, from: [self]) { dy in [dy * (self.power(p - 1) * p)] }
  }

  /// The nearest number in `[low, high]`. - Gradient: `dy` inside and on the bounds, 0 outside (as PyTorch).
  public func clamped(to low: Double, _ high: Double) -> Tensor {
    require(low <= high, "clamped: lower bound \(low) is above upper bound \(high)")
    return map(APUS_CLAMP, low, high).recorded(.clamp, from: [self]) { dy in [dy * self.map(APUS_INSIDE, low, high)] }
  }

  /// The error function `2/√π ∫₀ˣ e^(-t²) dt`. - Gradient: `dy · 2/√π · e^(-x²)`.
  public func erf() -> Tensor {
    map(APUS_ERF).recorded(.erf, from: [self]) { dy in [dy * ((-self.squared()).exp() * 1.1283791670955126)] }
  }

  /// The same numbers in another precision. - Gradient: none; a precision is chosen before a graph is built.
  public func converted(to precision: Precision) -> Tensor {
    guard precision != self.precision else { return self }
    require(!isRecorded, "converted: a recorded tensor would lose its graph; convert leaves, or call detached() first")
    let (x, y) = (self, Tensor(uninitialized: shape, precision))
    parallelFor(count, grain: 1 << 16) { range in
      let (from, to) = (x.address(range.lowerBound), y.address(range.lowerBound))
      switch precision {
      case .float64: apus_widen(from.assumingMemoryBound(to: Float.self), to.assumingMemoryBound(to: Double.self), range.count)
      case .float32: apus_narrow(from.assumingMemoryBound(to: Double.self), to.assumingMemoryBound(to: Float.self), range.count)
      }
    }
    return y
  }
}
