import Base
import Tensors

/// The length of all gradients together, and what they are to be multiplied by so that it stays below a bound.
///
/// `norm = √Σ g²`, `scale = min(1, maximum / (norm + 10⁻⁶))`: hand the scale to `Optimizer.step`, which applies it in its own sweep.
/// - Parameter maximumNorm: the largest length of all gradients together; 0 for no bound.
/// - Throws: `.diverged` naming the first parameter whose gradient is infinite or NaN.
/// - Source: Pascanu et al. 2013, algorithm 1; the constant as in PyTorch's `clip_grad_norm_`.
public func clip(
  _ gradients: Gradients, of parameters: [TrainedParameter], to maximumNorm: Double
) throws -> (norm: Double, scale: Double) {
  require(maximumNorm >= 0, "clip: the largest norm \(maximumNorm) is negative")
  var total = 0.0
  for item in parameters {
    guard let gradient = gradients[item.parameter] else { continue }
    let square = gradient.sumOfSquares  // accumulated in double
    guard square.isFinite else {
      throw Failure(.diverged, at: item.name, "the gradient of this parameter is infinite or not a number",
        remedy: "A lower learning rate or a longer warm-up may help; the data may also hold invalid numbers.")
    }
    total += square
  }
  let norm = total.squareRoot()
  return (norm, maximumNorm > 0 ? min(1, maximumNorm / (norm + 1e-6)) : 1)
}
