import Base
import Tensors

/// The share of found pictures that look real, and of real ones that might have been found: vectors of one set inside the manifold of
/// the other, which is the union of balls around its vectors that reach to their k-th nearest neighbours.
/// - Source: Kynkäänniemi, Karras, Laine, Lehtinen, Aila 2019 (arXiv 1904.06991), equations 1 and 2; with VGG-16's features and k = 3.
public struct ImprovedPrecisionRecall: Sendable, Equatable {
  /// The share of found vectors in a ball around a real one, its border included.
  public let precision: Double
  /// The share of real vectors in a ball around a found one.
  public let recall: Double

  /// - Throws: `.badData` if the vectors have different lengths, or a set has at most k of them.
  public init(real: FeatureSet, found: FeatureSet, neighbours k: Int = 3) throws {
    try FeatureSet.requireComparable(real, found)
    for set in [real, found] where set.count <= k {
      throw Failure(.badData, at: "features", "\(set.count) pictures have no \(k) neighbours each; at least \(k + 1) are needed")
    }
    precision = Self.share(of: found.values, inManifoldOf: real.values, k)
    recall = Self.share(of: real.values, inManifoldOf: found.values, k)
  }

  private static func share(of points: Tensor, inManifoldOf centres: Tensor, _ k: Int) -> Double {
    let own = squaredDistances(centres, centres)
    let radii = own.indices.map { i in
      var others = own[i]
      others.remove(at: i)  // not its own neighbour
      return others.sorted()[k - 1]
    }
    let inside = squaredDistances(points, centres).count { distances in zip(distances, radii).contains { $0 <= $1 } }
    return Double(inside) / Double(points.shape[0])
  }

  /// `‖a‖² + ‖b‖² - 2 a · b` of all pairs, at least 0.
  private static func squaredDistances(_ a: Tensor, _ b: Tensor) -> [[Double]] {
    let squares = a.squared().sum([1], keepingAxes: true) + b.squared().sum([1]).reshaped(to: [1, -1])
    let distances = (squares - a.matmul(b, otherTransposed: true) * 2).relu().doubles
    let columns = b.shape[0]
    return (0..<a.shape[0]).map { Array(distances[$0 * columns..<($0 + 1) * columns]) }
  }
}
