import Base
import Tensors

/// A linear support vector machine with squared hinge loss: `f(x) = w · x + b` that minimises
/// `½ (‖w‖² + b²) + C Σᵢ max(0, 1 - yᵢ f(xᵢ))²`.
///
/// The intercept is a weight of a constant feature 1, so it is regularised, too: that is what LIBLINEAR's primal solver does under
/// scikit-learn's `LinearSVC(dual=False)`. The objective is strictly convex; its only minimum is found by Newton's method.
/// - Source: Keerthi, DeCoste 2005; Chapelle 2007; Fan et al. 2008, appendix A.
package struct LinearSVM {
  /// `[d]`.
  package let weights: Tensor
  package let intercept: Double
  /// Newton steps that were taken.
  package let steps: Int

  private static let mostSteps = 1000

  /// - Parameters:
  ///   - x: vectors, `[n, d]`, float64.
  ///   - labels: +1 or -1, `[n]`.
  ///   - c: the weight of the losses.
  package init(_ x: Tensor, labels: [Double], c: Double = 1) {
    require(x.rank == 2 && labels.count == x.shape[0], "LinearSVM: \(labels.count) labels for vectors of shape \(x.shape)")
    let (n, d) = (x.shape[0], x.shape[1])
    // Rows yᵢ [xᵢ, 1]: a margin is their product with the weights.
    let y = Tensor(labels, shape: [n, 1], precision: .float64)
    let rows = x.padded(1, before: 0, after: 1, with: 1) * y
    var w = Tensor.zeros([d + 1, 1], .float64)
    var margins = Tensor.zeros([n, 1], .float64)
    var value = Self.objective(w, margins, c)
    var firstNorm: Double?
    var step = 0
    while step < Self.mostSteps {
      let slack = margins.doubles.map { max(0, 1 - $0) }
      let active = slack.indices.filter { slack[$0] > 0 }
      let violating = rows.gathered(0, active)
      let slacks = Tensor(active.map { slack[$0] }, shape: [active.count, 1], precision: .float64)
      let gradient = active.isEmpty ? w : w - violating.matmul(slacks, transposed: true) * (2 * c)
      let norm = gradient.sumOfSquares.squareRoot()
      firstNorm = firstNorm ?? norm
      if norm <= 1e-12 * (firstNorm ?? norm) { break }
      let direction = Self.newtonDirection(gradient, violating, c)
      let slope = (gradient * direction).sum().item
      let change = rows.matmul(direction)
      var length = 1.0
      var next = (w: w + direction, margins: margins + change)
      var nextValue = Self.objective(next.w, next.margins, c)
      while nextValue > value + 1e-4 * length * slope, length > 1e-10 {
        length /= 2
        next = (w + direction * length, margins + change * length)
        nextValue = Self.objective(next.w, next.margins, c)
      }
      step += 1
      guard nextValue < value else { break }  // the minimum, as far as float64 can tell
      (w, margins, value) = (next.w, next.margins, nextValue)
    }
    weights = w.sliced(0, 0..<d).reshaped(to: [d])
    intercept = w.doubles[d]
    steps = step
  }

  private static func objective(_ w: Tensor, _ margins: Tensor, _ c: Double) -> Double {
    0.5 * w.sumOfSquares + c * (1 - margins).relu().sumOfSquares
  }

  /// `-H⁻¹ g` with `H = 1 + 2C Aᵀ A` for the rows `A` that violate the margin; of fewer rows than columns by the inverse of a matrix of
  /// their size (Woodbury): `H⁻¹ = 1 - Aᵀ (1/2C + A Aᵀ)⁻¹ A`.
  private static func newtonDirection(_ gradient: Tensor, _ violating: Tensor, _ c: Double) -> Tensor {
    let (count, width) = (violating.shape[0], violating.shape[1])
    guard count > 0 else { return gradient * -1 }
    func solved(_ matrix: Tensor, _ right: Tensor) -> Tensor {
      guard let solution = matrix.choleskySolved(right.reshaped(to: [right.count])) else {
        stop("LinearSVM: a matrix that is positive definite by construction has no Cholesky factors; the features are too large")
      }
      return solution.reshaped(to: [right.count, 1])
    }
    if count >= width {
      return solved(violating.matmul(violating, transposed: true) * (2 * c) + identity(width), gradient) * -1
    }
    let inner = violating.matmul(violating, otherTransposed: true) + identity(count) * (1 / (2 * c))
    return violating.matmul(solved(inner, violating.matmul(gradient)), transposed: true) - gradient
  }

  private static func identity(_ n: Int) -> Tensor {
    var values = [Double](repeating: 0, count: n * n)
    for i in 0..<n { values[i * (n + 1)] = 1 }
    return Tensor(values, shape: [n, n], precision: .float64)
  }

  /// `f` of each row of `[n, d]`.
  func decisions(_ x: Tensor) -> [Double] { x.matmul(weights.reshaped(to: [-1, 1])).doubles.map { $0 + intercept } }
}
