import Base
import Tensors

/// The reduction of the losses of single elements to one number.
public enum LossReduction: String, Codable, Sendable, CaseIterable {
  /// The arithmetic mean; in weighted cross-entropy, the sum over the sum of the labels' weights.
  case mean
  case sum
  /// No reduction: one loss per element (or row).
  case none
}

/// Cross-entropy of class logits with class indices.
///
/// Row `i` with the label `y` costs `(1 - s) w[y] · -log p[y] + s/c · Σⱼ w[j] · -log p[j]`, with `p` the softmax over `c` classes, the
/// smoothing `s` and the class weights `w` (1 by default). The mean divides by `Σᵢ w[yᵢ]`. Ignored rows cost nothing and count for nothing;
/// if all are ignored, the mean is NaN, as in PyTorch.
/// - Parameters:
///   - logits: `[..., classes]`.
///   - labels: one class per row, rows in row-major order.
///   - weights: one per class.
///   - ignored: the label of rows that are left out.
///   - smoothing: the share of the target that is spread over all classes, in 0...1.
/// - Shape: → scalar, or `[...]` without reduction.
/// - Source: the definition of PyTorch's `cross_entropy`; smoothing after Szegedy et al. 2016.
public func crossEntropy(
  _ logits: Tensor, _ labels: [Int], weights: [Double]? = nil, ignoring ignored: Int = -100, smoothing: Double = 0,
  _ reduction: LossReduction = .mean
) -> Tensor {
  guard let classes = logits.shape.last, classes > 0 else { stop("crossEntropy: logits of shape \(logits.shape) have no classes") }
  let count = logits.count / classes
  let precision = logits.precision
  require(labels.count == count, "crossEntropy: \(labels.count) labels for the \(count) rows of logits \(logits.shape)")
  require(weights.map { $0.count == classes } ?? true, "crossEntropy: \(weights?.count ?? 0) weights for \(classes) classes")
  require(smoothing >= 0 && smoothing <= 1, "crossEntropy: smoothing \(smoothing) is outside 0...1")
  let rows = labels.indices.filter { labels[$0] != ignored }
  let kept = rows.map { labels[$0] }
  if let bad = kept.first(where: { $0 < 0 || $0 >= classes }) { stop("crossEntropy: label \(bad) is outside 0..<\(classes)") }

  let table = logits.reshaped(to: [count, classes])
  let logp = (rows.count == count ? table : table.gathered(0, rows)).logSoftmax()  // [kept, classes]
  let rowWeights = kept.map { weights?[$0] ?? 1 }
  var losses = logp.picked(kept) * Tensor(rowWeights.map { -$0 * (1 - smoothing) }, shape: [kept.count], precision: precision)
  if smoothing > 0 {
    let spread = (weights ?? Array(repeating: 1, count: classes)).map { -$0 * smoothing / Double(classes) }
    losses = losses + (logp * Tensor(spread, shape: [classes], precision: precision)).sum([-1])
  }
  switch reduction {
  case .mean: return losses.sum() * (1 / rowWeights.reduce(0, +))
  case .sum: return losses.sum()
  case .none: return losses.scatterAdded(0, rows, length: count).reshaped(to: Array(logits.shape.dropLast()))
  }
}

/// Binary cross-entropy of logits `x` with truths `t` of 0 or 1, `log(1 + eˣ) - t x`.
/// - Shape: equal ones → scalar, or the same without reduction.   - Gradient: `σ(x) - t`, of the mean over n elements divided by n.
public func binaryCrossEntropy(_ logits: Tensor, _ truth: Tensor, _ reduction: LossReduction = .mean) -> Tensor {
  require(logits.shape == truth.shape, "binaryCrossEntropy: logits \(logits.shape) and truth \(truth.shape) must have one shape")
  let losses = logits.softplus() - logits * truth
  switch reduction {
  case .mean: return losses.mean()
  case .sum: return losses.sum()
  case .none: return losses
  }
}
