import Tensors

/// The length of all gradients together, and what they are to be multiplied by so that it stays below a bound.
public struct GradientClip: Sendable, Equatable {
  /// `√Σ g²` over all parameters; infinite or NaN if a gradient is.
  public let norm: Double
  /// `min(1, maximum / (norm + 10⁻⁶))`: for `Optimizer.step`, which applies it in its own sweep.
  public let scale: Double
  /// The first parameter whose gradient is infinite or NaN; nil if there is none.
  public let nonFinite: String?
}

/// Measures the gradients of `parameters` together, in double.
/// - Parameter maximumNorm: the largest length of all gradients together; 0 for no bound.
/// - Source: Pascanu et al. 2013, algorithm 1; the constant as in PyTorch's `clip_grad_norm_`.
public func clip(_ gradients: Gradients, of parameters: [TrainedParameter], to maximumNorm: Double) -> GradientClip {
  require(maximumNorm >= 0, "clip: the largest norm \(maximumNorm) is negative")
  var total = 0.0, nonFinite: String?
  for item in parameters {
    guard let gradient = gradients[item.parameter] else { continue }
    let square = gradient.sumOfSquares
    if !square.isFinite, nonFinite == nil { nonFinite = item.name }
    total += square
  }
  let norm = total.squareRoot()
  return GradientClip(norm: norm, scale: maximumNorm > 0 ? min(1, maximumNorm / (norm + 1e-6)) : 1, nonFinite: nonFinite)
}

extension Optimizer {
  /// One update with the gradients scaled down to a common length of `clipNorm`, if theirs is larger; 0 for no bound.
  ///
  /// If a gradient is infinite or NaN, nothing is updated, `stepCount` included, so that the parameters can still be looked at.
  /// - Returns: the length before clipping.
  @discardableResult
  public func step(_ gradients: Gradients, rate: Double, clipNorm: Double) -> Double {
    let measured = clip(gradients, of: parameters, to: clipNorm)
    if measured.nonFinite == nil { step(gradients, rate: rate, scale: measured.scale) }
    return measured.norm
  }
}
