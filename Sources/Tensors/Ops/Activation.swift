import Base
import CKernels

extension Tensor {
  /// `max(x, 0)`. - Gradient: `dy` where `x > 0`, 0 at and below 0.
  public func relu() -> Tensor {
    map(APUS_RELU).recordedWithOutput(.relu, from: [self]) { dy, y in [dy.gated(by: y.detached())] }
  }

  /// `x` above 0, `slope · x` below; the slope is 0 or more. - Gradient: `dy`, times the slope at and below 0.
  public func leakyRelu(slope: Double = 0.01) -> Tensor {
    require(slope >= 0, "leakyRelu: the slope \(slope) is negative")
    guard isRecorded, Recording.isOn else {
      return map(APUS_LEAKY_RELU, slope).recorded(.leakyRelu, from: []) { _ in [] }  // no gradient will be asked for
    }
    let (x, y, above) = (self, fresh(), ElementBits(count))
    parallelFor(above.byteCount, grain: 1 << 12) { bytes in
      let range = bytes.lowerBound * 8..<min(x.count, bytes.upperBound * 8)
      x.kernels.leaky_relu(x.address(range.lowerBound), y.address(range.lowerBound), above.address(bytes.lowerBound), range.count, slope)
    }
    return y.recorded(.leakyRelu, from: [self]) { dy in [dy.gated(by: above, otherwise: slope)] }
  }

  /// `x` where the bit is set, else `slope · x`. - Gradient: the same on `dy`.
  private func gated(by bits: ElementBits, otherwise slope: Double) -> Tensor {
    let (x, y) = (self, fresh())
    parallelFor(bits.byteCount, grain: 1 << 12) { bytes in
      let range = bytes.lowerBound * 8..<min(x.count, bytes.upperBound * 8)
      x.kernels.gate_by_bits(x.address(range.lowerBound), bits.address(bytes.lowerBound), y.address(range.lowerBound), range.count, slope)
    }
    return y.recorded(.gate, from: [self]) { dy in [dy.gated(by: bits, otherwise: slope)] }
  }

  /// `x` where `gate > 0`, else `slope · x`: the linear part of relu's gradient. - Gradient: the same gate on `dy`; none to the gate.
  package func gated(by gate: Tensor, otherwise slope: Double = 0) -> Tensor {
    combined(APUS_GATE, gate, slope, op: .gate).recorded(.gate, from: [self]) { dy in [dy.gated(by: gate, otherwise: slope)] }
  }

  /// `σ(x) = 1 / (1 + e⁻ˣ)`. - Gradient: `dy · y · (1 - y)`.
  public func sigmoid() -> Tensor {
    map(APUS_SIGMOID).recordedWithOutput(.sigmoid, from: [self]) { dy, y in [y.sigmoidGradient(dy)] }
  }

  /// The gradient of sigmoid's argument; `self` is its value.
  func sigmoidGradient(_ dy: Tensor) -> Tensor {
    Recording.isOn ? dy * (self * (1 - self)) : dy.combined(APUS_SIGMOID_GRADIENT, self, op: .sigmoid)
  }

  /// Hyperbolic tangent. - Gradient: `dy · (1 - y²)`.
  public func tanh() -> Tensor {
    map(APUS_TANH).recordedWithOutput(.tanh, from: [self]) { dy, y in [y.tanhGradient(dy)] }
  }

  /// The gradient of tanh's argument; `self` is its value.
  func tanhGradient(_ dy: Tensor) -> Tensor {
    Recording.isOn ? dy * (1 - squared()) : dy.combined(APUS_TANH_GRADIENT, self, op: .tanh)
  }

  /// `log(1 + eˣ)`, without overflow. - Gradient: `dy · σ(x)`.
  public func softplus() -> Tensor {
    map(APUS_SOFTPLUS).recorded(.softplus, from: [self]) { dy in [dy * self.sigmoid()] }
  }

  /// `x · σ(x)` (Swish). - Source: Elfwing et al. 2017; Ramachandran et al. 2017.
  /// - Gradient: `dy · s (1 + x (1 - s))` with `s = σ(x)`.
  public func silu() -> Tensor {
    map(APUS_SILU).recorded(.silu, from: [self]) { dy in
      guard Recording.isOn else { return [dy.combined(APUS_SILU_GRADIENT, self.detached(), op: .silu)] }
      let s = self.sigmoid()
      return [dy * (s + self * s * (1 - s))]
    }
  }

  /// `x` above 0, `eˣ - 1` below. - Source: Clevert et al. 2015, with α = 1.
  /// - Gradient: `dy` above 0, `dy · eˣ` below. - Numerics: exact to rounding near 0, too.
  public func elu() -> Tensor {
    map(APUS_ELU).recordedWithOutput(.elu, from: [self]) { dy, y in
      [Recording.isOn ? dy * (y.clamped(to: -1, 0) + 1) : dy.combined(APUS_ELU_GRADIENT, y, op: .elu)]
    }
  }

  /// `x · Φ(x)`, exactly: `x/2 · (1 + erf(x/√2))`. - Source: Hendrycks, Gimpel 2016.
  /// - Gradient: `dy (Φ(x) + x φ(x))`.
  public func gelu() -> Tensor {
    map(APUS_GELU).recorded(.gelu, from: [self]) { dy in
      guard Recording.isOn else { return [dy.combined(APUS_GELU_GRADIENT, self.detached(), op: .gelu)] }
      let density = (self.squared() * -0.5).exp() * 0.3989422804014327
      return [dy * ((self * 0.5.squareRoot()).erf().scaled(by: 0.5, plus: 0.5) + self * density)]
    }
  }

  /// The tanh approximation of `gelu`: `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
  public func geluApproximated() -> Tensor {
    let inner = (self + power(3) * 0.044715) * 0.7978845608028654
    return self * inner.tanh().scaled(by: 0.5, plus: 0.5)
  }
}

/// One bit for each element of a tensor: what a gate keeps instead of the elements, a thirty-second of them in float32.
private struct ElementBits: Sendable {
  let byteCount: Int
  private let words: Tensor  // of 64 bits

  init(_ count: Int) {
    byteCount = (count + 7) / 8
    words = Tensor(uninitialized: [(byteCount + 7) / 8], .float64)
  }

  func address(_ byte: Int) -> UnsafeMutablePointer<UInt8> { words.address(0).assumingMemoryBound(to: UInt8.self) + byte }
}
