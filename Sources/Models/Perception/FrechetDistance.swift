import Base
import Tensors

extension FeatureSet {
  /// The mean vector. - Shape: `[d]`.
  var mean: Tensor { values.mean([0]) }

  /// A matrix `R` with `Rᵀ R = Σ`, the covariance with divisor n.
  ///
  /// Of few pictures it is the centred vectors themselves over √n, so nothing is lost by squaring; of many it is the symmetric root of Σ
  /// without the last rotation, `√Λ V` of `Σ = Vᵀ Λ V`, eigenvalues below 0 taken as 0.
  /// - Shape: `[min(n, d), d]`.
  var covarianceRoot: Tensor {
    let centred = (values - mean) * (1 / Double(count).squareRoot())
    guard count > width else { return centred }
    let (eigenvalues, vectors) = centred.matmul(centred, transposed: true).symmetricEigen()
    let roots = eigenvalues.doubles.map { max($0, 0).squareRoot() }
    return vectors * Tensor(roots, shape: [width, 1], precision: .float64)
  }
}

/// The Fréchet distance between two sets of features, as if both were normally distributed:
/// `‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½)`, covariances with divisor n. With the features of Inception-v3 it is FID.
///
/// The trace of the root is computed from real numbers only: with `Σᵢ = Rᵢᵀ Rᵢ`, the eigenvalues of `Σ₁^½ Σ₂ Σ₁^½` are the squares of the
/// singular values of `R₁ R₂ᵀ`, so the trace is their sum. It is real and finite for fewer pictures than dimensions, too, where the general
/// root of `Σ₁ Σ₂` is neither.
/// - Returns: at least 0; 0 (to rounding) for equal sets.
/// - Throws: `.badData` if the vectors have different lengths.
/// - Source: Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter 2017 (arXiv 1706.08500), equation 6; Dowson, Landau 1982.
public func frechetDistance(_ first: FeatureSet, _ second: FeatureSet) throws -> Double {
  try FeatureSet.requireComparable(first, second)
  let (root1, root2) = (first.covarianceRoot, second.covarianceRoot)
  let traceOfRoot = root1.matmul(root2, otherTransposed: true).singularValues().sum().item
  let distance = (first.mean - second.mean).squared().sum().item
  return max(0, distance + root1.squared().sum().item + root2.squared().sum().item - 2 * traceOfRoot)
}
