import Base
import Tensors

// Losses of feature vectors: vectors of one identity shall be near each other, and far from those of others.
//
// Features are [n, d], labels name the identity of each row. Distances are Euclidean; where two rows are equal, the gradient of their
// distance is 0.

/// Pairs of rows of a batch.
public struct FeaturePairs: Sendable, Equatable {
  public let first: [Int]
  public let second: [Int]
  /// Whether both rows of a pair are of one identity.
  public let isSame: [Bool]

  /// All pairs `i < j`.
  public init(all labels: [Int]) {
    let pairs = labels.indices.flatMap { i in labels.indices[(i + 1)...].map { (i, $0) } }
    first = pairs.map(\.0)
    second = pairs.map(\.1)
    isSame = pairs.map { labels[$0.0] == labels[$0.1] }
  }

  public var count: Int { first.count }

  /// The share of each pair in a mean: equal ones, or half for all pairs of one identity and half for all others, if both exist.
  fileprivate func shares(isBalanced: Bool, _ precision: Precision) -> Tensor {
    let same = isSame.count { $0 }
    let values = isBalanced && same > 0 && same < count
      ? isSame.map { 0.5 / Double($0 ? same : count - same) } : Array(repeating: 1 / Double(max(count, 1)), count: count)
    return Tensor(values, shape: [count], precision: precision)
  }

  /// 1 for pairs of one identity, else 0.
  fileprivate func targets(_ precision: Precision) -> Tensor { Tensor(isSame.map { $0 ? 1 : 0 }, shape: [count], precision: precision) }
}

/// Cosine softmax: cross-entropy of `p(k | r) = exp(κ w̃ₖᵀ r) / Σⱼ exp(κ w̃ⱼᵀ r)`, with `w̃` the rows of `weights` at unit length.
/// - Parameters:
///   - features: r, `[n, d]`, of unit length.
///   - weights: one row for each identity, `[identities, d]`, of any length.
///   - scale: κ, a scalar or `[1]`.
/// - Shape: → scalar, the mean over the rows.   - Source: Wojke, Bewley 2018, equation 4.
public func cosineSoftmax(_ features: Tensor, weights: Tensor, scale: Tensor, _ labels: [Int]) -> Tensor {
  let (n, width) = features.shape2
  require(labels.count == n && weights.shape.last == width,
    "cosineSoftmax: \(labels.count) labels and weights of shape \(weights.shape) for features of shape \(features.shape)")
  let unit = weights / (weights.squared().sum([-1], keepingAxes: true) + 1e-12).sqrt()
  return crossEntropy(features.matmul(unit, otherTransposed: true) * scale, labels)
}

/// Contrastive loss over all pairs of a batch: `½ d²` for one identity, `½ max(0, m - d)²` for two.
/// - Parameter isBalanced: whether pairs of one identity and of two weigh half each, though there are more of the latter.
/// - Source: Hadsell, Chopra, LeCun 2006, equation 4.
public func contrastiveLoss(_ features: Tensor, _ labels: [Int], margin: Double = 1, isBalanced: Bool = false) -> Tensor {
  let pairs = FeaturePairs(all: labels)
  let squares = features.squaredDistances().picked(pairs.first, pairs.second)
  let same = pairs.targets(features.precision)
  let excess = (margin - squares.distances).relu().squared()
  return ((same * squares + (1 - same) * excess) * pairs.shares(isBalanced: isBalanced, features.precision)).sum() * 0.5
}

/// The distance by which an anchor's positive shall be nearer than its negative.
public enum TripletMargin: Sendable, Equatable {
  /// `max(0, d⁺ - d⁻ + m)`.
  case hinge(Double)
  /// `log(1 + exp(d⁺ - d⁻))`.
  case soft

  fileprivate func callAsFunction(_ difference: Tensor) -> Tensor {
    switch self {
    case .hinge(let margin): (difference + margin).relu()
    case .soft: difference.softplus()
    }
  }
}

/// Triplet loss, the mean over all triplets of a batch: anchor, another row of its identity, and a row of another identity.
/// - Precondition: some identity has two rows, and there are two identities.
/// - Source: Schroff, Kalenichenko, Philbin 2015, with the distance in place of its square; all triplets as Hermans et al. 2017.
public func tripletLoss(_ features: Tensor, _ labels: [Int], margin: TripletMargin) -> Tensor {
  var triplets: [(anchor: Int, positive: Int, negative: Int)] = []
  for anchor in labels.indices {
    let others = labels.indices.filter { labels[$0] != labels[anchor] }
    for positive in labels.indices where positive != anchor && labels[positive] == labels[anchor] {
      triplets += others.map { (anchor, positive, $0) }
    }
  }
  require(!triplets.isEmpty, "tripletLoss: the labels \(labels.prefix(16)) have no triplet")
  let squares = features.squaredDistances(), anchors = triplets.map(\.anchor)
  let near = squares.picked(anchors, triplets.map(\.positive)).distances, far = squares.picked(anchors, triplets.map(\.negative)).distances
  return margin(near - far).mean()
}

/// Batch-hard triplet loss: for every row its farthest of the same identity and its nearest of another; the mean over the rows that have
/// both. Of equal distances the one of the lower row counts.
/// - Precondition: some row has both.
/// - Source: Hermans, Beyer, Leibe 2017, equation 5.
public func batchHardTripletLoss(_ features: Tensor, _ labels: [Int], margin: TripletMargin) -> Tensor {
  let squares = features.squaredDistances(), values = squares.doubles, n = labels.count
  var hardest: [(anchor: Int, positive: Int, negative: Int)] = []
  for anchor in 0..<n {
    let row = values[anchor * n..<(anchor + 1) * n]
    func distance(_ other: Int) -> Double { row[row.startIndex + other] }
    let positives = (0..<n).filter { $0 != anchor && labels[$0] == labels[anchor] }
    let negatives = (0..<n).filter { labels[$0] != labels[anchor] }
    guard let positive = positives.min(by: { distance($0) > distance($1) }),
          let negative = negatives.min(by: { distance($0) < distance($1) }) else { continue }
    hardest.append((anchor, positive, negative))
  }
  require(!hardest.isEmpty, "batchHardTripletLoss: no row of the labels \(labels.prefix(16)) has both a positive and a negative")
  let anchors = hardest.map(\.anchor)
  let near = squares.picked(anchors, hardest.map(\.positive)).distances, far = squares.picked(anchors, hardest.map(\.negative)).distances
  return margin(near - far).mean()
}

/// Verification: binary cross-entropy of `σ(wᵀ |fₐ - f_b| + b)` being "one identity", over all pairs of a batch.
/// - Parameters:
///   - weight: w, `[d, 1]`.
///   - bias: b, `[1]`.
///   - isBalanced: whether pairs of one identity and of two weigh half each.
public func verificationLoss(
  _ features: Tensor, _ labels: [Int], weight: Tensor, bias: Tensor, isBalanced: Bool = false
) -> Tensor {
  let pairs = FeaturePairs(all: labels)
  let difference = (features.gathered(0, pairs.first) - features.gathered(0, pairs.second)).abs()
  let logits = difference.linear(by: weight, bias: bias).reshaped(to: [pairs.count])
  let losses = binaryCrossEntropy(logits, pairs.targets(features.precision), .none)
  return (losses * pairs.shares(isBalanced: isBalanced, features.precision)).sum()
}

extension Tensor {
  /// The squared Euclidean distances between all rows. - Shape: `[n, d]` → `[n, n]`.
  /// - Numerics: sums of squared differences: near rows lose nothing.
  fileprivate func squaredDistances() -> Tensor {
    let (n, width) = shape2
    return (reshaped(to: [n, 1, width]) - reshaped(to: [1, n, width])).squared().sum([-1])
  }

  /// The elements of `[n, n]` at the given rows and columns.
  fileprivate func picked(_ rows: [Int], _ columns: [Int]) -> Tensor {
    let (n, length) = shape2
    return reshaped(to: [n * length]).gathered(0, zip(rows, columns).map { $0 * length + $1 })
  }

  /// The roots of squared distances, with the gradient 0 at 0.
  fileprivate var distances: Tensor { clamped(to: 1e-24, .infinity).sqrt() }
}
