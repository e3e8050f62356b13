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
    var radii: [Double] = []
    eachRow(centres, centres) { radii.append(smallest(k, of: $1, but: $0)) }  // a vector is not its own neighbour
    var inside = 0
    eachRow(points, centres) { _, distances in
      if zip(distances, radii).contains(where: { $0 <= $1 }) { inside += 1 }
    }
    return Double(inside) / Double(points.shape[0])
  }

  /// The k-th smallest number, one place left out.
  private static func smallest(_ k: Int, of distances: ArraySlice<Double>, but place: Int) -> Double {
    var least: [Double] = []  // ascending, at most k
    for (i, distance) in distances.enumerated() where i != place && (least.count < k || distance < least[k - 1]) {
      least.insert(distance, at: least.firstIndex { $0 > distance } ?? least.count)
      if least.count > k { least.removeLast() }
    }
    return least[k - 1]
  }

  /// Calls `body` with the index of each vector of `a` and its squared distances `‖a‖² + ‖b‖² - 2 a · b` (at least 0) to all of `b`.
  private static func eachRow(_ a: Tensor, _ b: Tensor, _ body: (Int, ArraySlice<Double>) -> Void) {
    let (count, columns) = (a.shape[0], b.shape[0])
    let squares = b.squared().sum([1]).reshaped(to: [1, -1])
    let block = 512  // rows whose distances are held at one time
    for start in stride(from: 0, to: count, by: block) {
      let rows = a.sliced(0, start..<min(count, start + block))
      let products = rows.matmul(b, otherTransposed: true) * 2
      let distances = (rows.squared().sum([1], keepingAxes: true) + squares - products).relu().doubles
      for i in 0..<rows.shape[0] { body(start + i, distances[i * columns..<(i + 1) * columns]) }
    }
  }
}
