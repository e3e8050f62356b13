import Base
import Tensors

// Losses of the difference d = prediction - target; both of one shape.

/// `d²`. - Gradient: `2 d`.
public func meanSquaredError(_ prediction: Tensor, _ target: Tensor, _ reduction: LossReduction = .mean) -> Tensor {
  difference(prediction, target, "meanSquaredError").squared().reduced(reduction)
}

/// `|d|`. - Gradient: the sign of `d`, 0 at 0.
public func meanAbsoluteError(_ prediction: Tensor, _ target: Tensor, _ reduction: LossReduction = .mean) -> Tensor {
  difference(prediction, target, "meanAbsoluteError").abs().reduced(reduction)
}

/// `d² / 2β` where `|d| < β`, else `|d| - β/2`: quadratic near 0, with slope 1 outside. `β = 0` is the absolute error.
/// - Source: Girshick, "Fast R-CNN", 2015, equation 3, with the width β.
public func smoothL1Loss(_ prediction: Tensor, _ target: Tensor, beta: Double = 1, _ reduction: LossReduction = .mean) -> Tensor {
  require(beta >= 0, "smoothL1Loss: beta \(beta) is negative")
  let size = difference(prediction, target, "smoothL1Loss").abs()
  guard beta > 0 else { return size.reduced(reduction) }
  let near = size.clamped(to: 0, beta)  // the part of |d| that counts quadratically
  return (near.squared() * (0.5 / beta) + (size - near)).reduced(reduction)
}

/// `d² / 2` where `|d| < δ`, else `δ (|d| - δ/2)`: `smoothL1Loss` with `β = δ`, times δ.
/// - Source: Huber 1964.
public func huberLoss(_ prediction: Tensor, _ target: Tensor, delta: Double = 1, _ reduction: LossReduction = .mean) -> Tensor {
  require(delta > 0, "huberLoss: delta \(delta) must be positive")
  return smoothL1Loss(prediction, target, beta: delta, reduction) * delta
}

private func difference(_ prediction: Tensor, _ target: Tensor, _ loss: String) -> Tensor {
  require(prediction.shape == target.shape, "\(loss): prediction \(prediction.shape) and target \(target.shape) must have one shape")
  return prediction - target
}

extension Tensor {
  fileprivate func reduced(_ reduction: LossReduction) -> Tensor {
    switch reduction {
    case .mean: mean()
    case .sum: sum()
    case .none: self
    }
  }
}
