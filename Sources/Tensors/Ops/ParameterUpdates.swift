import Base
import CKernels

/// The constants of one Adam or AdamW step; all dimensionless but the rate.
package struct AdamStep: Sendable {
  /// A running mean of the gradient (first moment) or of its square (second moment).
  package struct Moment: Sendable {
    /// β: the share of the old mean in the new one.
    package var beta: Double
    /// `1 - βᵗ`: the bias correction after `t` steps.
    package var correction: Double

    package init(beta: Double, correction: Double) {
      (self.beta, self.correction) = (beta, correction)
    }
  }

  package var rate: Double
  package var first: Moment
  package var second: Moment
  package var epsilon: Double
  /// The parameter is multiplied by it first: `1 - rate · weight decay` for AdamW, 1 for Adam.
  package var decay: Double
  /// Added to the gradient, times the parameter: Adam's weight decay, 0 for AdamW.
  package var l2: Double
  /// The gradient is multiplied by it first: gradient clipping.
  package var scale: Double

  package init(rate: Double, first: Moment, second: Moment, epsilon: Double, decay: Double, l2: Double, scale: Double) {
    (self.rate, self.first, self.second, self.epsilon) = (rate, first, second, epsilon)
    (self.decay, self.l2, self.scale) = (decay, l2, scale)
  }
}

/// The constants of one step of SGD with momentum.
package struct SGDStep: Sendable {
  package var rate, momentum, dampening, l2, scale: Double
  package var isNesterov: Bool
  /// The momentum buffer starts as the gradient.
  package var isFirst: Bool

  package init(rate: Double, momentum: Double, dampening: Double, l2: Double, scale: Double, isNesterov: Bool, isFirst: Bool) {
    (self.rate, self.momentum, self.dampening, self.l2, self.scale) = (rate, momentum, dampening, l2, scale)
    (self.isNesterov, self.isFirst) = (isNesterov, isFirst)
  }
}

// Updates write to the tensors' own memory where it is uniquely held (else to a copy): one sweep over parameter and state.

extension Tensor {
  /// One Adam or AdamW step of this parameter; `m` and `v` are the running moments.
  /// - Parameter m: nil where its β is 0: it would be the gradient.
  package mutating func adamStep(_ step: AdamStep, gradient: Tensor, m: inout Tensor?, v: inout Tensor) {
    requireUpdatable(gradient, "adamStep")
    require((m == nil) == (step.first.beta == 0), "adamStep: a first moment is kept where its β is above 0, which is \(step.first.beta)")
    let constants = apus_adam(
      rate: step.rate, beta1: step.first.beta, beta2: step.second.beta, epsilon: step.epsilon, correction1: step.first.correction,
      correction2: step.second.correction, decay: step.decay, l2: step.l2, scale: step.scale)
    func update(_ p: Tensor, _ m: Tensor?, _ v: Tensor) {
      parallelFor(p.count, grain: 1 << 15) { range in
        let i = range.lowerBound
        var options = constants
        p.kernels.adam(&options, gradient.address(i), p.address(i), m?.address(i), v.address(i), range.count)
      }
    }
    updateInPlace { p in
      v.updateInPlace { v in
        if m == nil { update(p, nil, v) } else { m?.updateInPlace { m in update(p, m, v) } }
      }
    }
  }

  /// One SGD step of this parameter; `velocity` is the momentum buffer.
  package mutating func sgdStep(_ step: SGDStep, gradient: Tensor, velocity: inout Tensor) {
    requireUpdatable(gradient, "sgdStep")
    let constants = apus_sgd(
      rate: step.rate, momentum: step.momentum, dampening: step.dampening, l2: step.l2, scale: step.scale,
      nesterov: step.isNesterov ? 1 : 0, first: step.isFirst ? 1 : 0)
    updateInPlace { p in
      velocity.updateInPlace { velocity in
        parallelFor(p.count, grain: 1 << 15) { range in
          let i = range.lowerBound
          var options = constants
          p.kernels.sgd(&options, gradient.address(i), p.address(i), velocity.address(i), range.count)
        }
      }
    }
  }

  /// `self = keep · self + (1 - keep) · other`: running statistics and moving averages.
  package mutating func blend(with other: Tensor, keep: Double) {
    requireUpdatable(other, "blend")
    updateInPlace { y in
      parallelFor(y.count, grain: 1 << 15) { range in
        y.kernels.scale_add(1 - keep, other.address(range.lowerBound), keep, y.address(range.lowerBound), range.count)
      }
    }
  }

  private func requireUpdatable(_ other: Tensor, _ op: String) {
    requireSamePrecision(other, op)
    require(shape == other.shape, "\(op): a tensor of shape \(shape) cannot take one of shape \(other.shape)")
  }
}
