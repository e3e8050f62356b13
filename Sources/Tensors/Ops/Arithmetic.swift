import CKernels

// Arithmetic of two tensors broadcasts as NumPy does; gradients are summed back over the repeated axes.

extension Tensor {
  /// Element-wise sum. - Gradient: `dy` to both.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    a.combined(APUS_ADD, b, op: .add).recorded(.add, from: [a, b]) { [p = a.withoutElements, q = b.withoutElements] dy in
      [p.ifNeeded.map { dy.summed(to: $0) }, q.ifNeeded.map { dy.summed(to: $0) }]
    }
  }

  /// Element-wise difference. - Gradient: `dy` and `-dy`.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    a.combined(APUS_SUBTRACT, b, op: .subtract).recorded(.subtract, from: [a, b]) { [p = a.withoutElements, q = b.withoutElements] dy in
      [p.ifNeeded.map { dy.summed(to: $0) }, q.ifNeeded.map { (-dy).summed(to: $0) }]
    }
  }

  /// Element-wise product. - Gradient: `dy · b` and `dy · a`.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    let keptA = b.isRecorded ? a : nil  // each factor serves the other's gradient
    let keptB = a.isRecorded ? b : nil
    let y = a.combined(APUS_MULTIPLY, b, op: .multiply)
    return y.recorded(.multiply, from: [a, b]) { [p = a.withoutElements, q = b.withoutElements] dy in
      func product(_ factor: Tensor?, _ shape: [Int]?) -> Tensor? {
        factor.flatMap { factor in shape.map { (dy * factor).summed(to: $0) } }
      }
      return [product(keptB, p.ifNeeded), product(keptA, q.ifNeeded)]
    }
  }

  /// The product with a scale that broadcasts over this weight: as `*`, but nobody keeps the product. It is made again from its factors
  /// when the gradient of the op that follows asks for it (see `SavedTensor`).
  /// - Gradient: `dy · scale`, and `dy · weight` summed to the scale's shape.
  public func scaledWeight(by scale: Tensor) -> Tensor {
    let (weight, plain) = (detached(), scale.detached())
    let y = weight.combined(APUS_MULTIPLY, plain, op: .multiply)
    return y.recorded(.multiply, from: [self, scale], rule: { [self] dy in
      [needsGradient ? (dy * scale).summed(to: shape) : nil, scale.needsGradient ? (dy * self).summed(to: scale.shape) : nil]
    }, remaking: { weight.combined(APUS_MULTIPLY, plain, op: .multiply).storage })
  }

  /// The product of this weight with a constant: as `*`, but nobody keeps the product. - Gradient: `dy · scale`.
  public func scaledWeight(by scale: Double) -> Tensor {
    let weight = detached()
    return weight.map(APUS_AFFINE, scale).recorded(
      .affine, from: [self], rule: { dy in [dy.scaled(by: scale)] }, remaking: { weight.map(APUS_AFFINE, scale).storage })
  }

  /// Element-wise quotient. - Gradient: `dy / b` and `-dy · a / b²`.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    a.combined(APUS_DIVIDE, b, op: .divide).recorded(.divide, from: [a, b]) { dy in
      let da = dy / b
      return [a.needsGradient ? da.summed(to: a.shape) : nil, b.needsGradient ? (-da * (a / b)).summed(to: b.shape) : nil]
    }
  }

  /// Element-wise `-x`. - Gradient: `-dy`.
  public static prefix func - (x: Tensor) -> Tensor {
    x.map(APUS_NEGATE).recorded(.negate, from: [x]) { dy in [-dy] }
  }

  /// `scale · x + shift` in one pass. - Gradient: `scale · dy`.
  public func scaled(by scale: Double, plus shift: Double = 0) -> Tensor {
    map(APUS_AFFINE, scale, shift).recorded(.affine, from: [self]) { dy in [dy.scaled(by: scale)] }
  }

  public static func + (x: Tensor, c: Double) -> Tensor { x.scaled(by: 1, plus: c) }
  public static func + (c: Double, x: Tensor) -> Tensor { x.scaled(by: 1, plus: c) }
  public static func - (x: Tensor, c: Double) -> Tensor { x.scaled(by: 1, plus: -c) }
  public static func - (c: Double, x: Tensor) -> Tensor { x.scaled(by: -1, plus: c) }
  public static func * (x: Tensor, c: Double) -> Tensor { x.scaled(by: c) }
  public static func * (c: Double, x: Tensor) -> Tensor { x.scaled(by: c) }
  public static func / (x: Tensor, c: Double) -> Tensor { x.scaled(by: 1 / c) }
  public static func / (c: Double, x: Tensor) -> Tensor { Tensor(c, precision: x.precision) / x }

  /// The larger of both elements. - Gradient: `dy` to the larger, half to each where they are equal (as PyTorch).
  public func maximum(_ other: Tensor) -> Tensor { extremum(other, APUS_MAXIMUM, .maximum) { $0.isGreater(than: $1) } }

  /// The smaller of both elements. - Gradient: `dy` to the smaller, half to each where they are equal (as PyTorch).
  public func minimum(_ other: Tensor) -> Tensor { extremum(other, APUS_MINIMUM, .minimum) { $1.isGreater(than: $0) } }

  private func extremum(
    _ other: Tensor, _ function: apus_binary, _ op: Op, _ wins: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> Tensor {
    let (a, b) = (self, other)
    return a.combined(function, b, op: op).recorded(op, from: [a, b]) { dy in
      let tie = a.isEqual(to: b) * 0.5
      return [a.needsGradient ? (dy * (wins(a, b) + tie)).summed(to: a.shape) : nil,
              b.needsGradient ? (dy * (wins(b, a) + tie)).summed(to: b.shape) : nil]
    }
  }
}

// MARK: - Comparisons: 1 where true, else 0; not differentiable

extension Tensor {
  public func isGreater(than other: Tensor) -> Tensor { combined(APUS_GREATER, other, op: .select) }
  public func isGreater(than threshold: Double) -> Tensor { map(APUS_GREATER_THAN, threshold) }
  public func isGreaterOrEqual(to other: Tensor) -> Tensor { combined(APUS_GREATER_EQUAL, other, op: .select) }
  public func isEqual(to other: Tensor) -> Tensor { combined(APUS_EQUAL, other, op: .select) }
  /// The largest integer not above. Its gradient is 0 almost everywhere, so none is recorded.
  public func floor() -> Tensor { map(APUS_FLOOR) }
  /// -1, 0 or 1. Its gradient is 0 almost everywhere, so none is recorded.
  public func sign() -> Tensor { map(APUS_SIGN) }

  /// `a` where `mask` is not 0, else `b`; all three of one shape after broadcasting. - Gradient: `dy` to the chosen one.
  public static func select(_ mask: Tensor, _ a: Tensor, else b: Tensor) -> Tensor {
    a.requireSamePrecision(b, "select")
    a.requireSamePrecision(mask, "select")
    let shape = BroadcastStrides(mask.shape, BroadcastStrides(a.shape, b.shape, op: "select").shape, op: "select").shape
    let (m, p, q) = (mask.detached().broadcast(to: shape), a.detached().broadcast(to: shape), b.detached().broadcast(to: shape))
    let y = a.fresh(shape)
    parallelFor(y.count, grain: 1 << 15) { range in
      let i = range.lowerBound
      y.kernels.select(m.address(i), p.address(i), q.address(i), y.address(i), range.count)
    }
    return y.recorded(.select, from: [a, b]) { [p = a.withoutElements, q = b.withoutElements] dy in
      let zero = Tensor(0, precision: dy.precision)
      return [p.ifNeeded.map { select(m, dy, else: zero).summed(to: $0) }, q.ifNeeded.map { select(m, zero, else: dy).summed(to: $0) }]
    }
  }
}
