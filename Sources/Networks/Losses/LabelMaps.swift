import Base
import Tensors

// Losses of label maps: cross-entropy of pixels, see CrossEntropy.swift, and of the hard ones only.

/// Online hard example mining: the mean cross-entropy of the pixels whose own class has a probability below a threshold.
///
/// The threshold is `threshold`, or the probability at place `minKept` (counted from 0, at most the last) in ascending order if that is
/// more; so `minKept` pixels count at least, but for equal probabilities. The mean divides by the number of pixels, whatever their weights.
/// - Parameters:
///   - logits: `[..., classes]`.
///   - labels: one class per row, rows in row-major order.
///   - weights: one per class.
///   - ignored: the label of rows that are left out. If no row is left, the loss is 0 without a gradient.
/// - Source: Shrivastava et al. 2016; the rule is that of HRNet's segmentation repository.
public func onlineHardCrossEntropy(
  _ logits: Tensor, _ labels: [Int], threshold: Double = 0.9, minKept: Int = 131_072, weights: [Double]? = nil, ignoring ignored: Int = 255
) -> Tensor {
  require(weights.map { $0.count == logits.shape.last } ?? true,
    "onlineHardCrossEntropy: \(weights?.count ?? 0) weights for logits of shape \(logits.shape)")
  let losses = crossEntropy(logits, labels, ignoring: ignored, .none).reshaped(to: [labels.count])
  let probabilities = (-losses.detached()).exp().doubles
  let valid = labels.indices.filter { labels[$0] != ignored }
  let ordered = valid.map { probabilities[$0] }.sorted()
  guard let last = ordered.indices.last else { return Tensor(0, precision: logits.precision) }
  let limit = max(ordered[min(max(1, minKept), last)], threshold)
  let hard = valid.filter { probabilities[$0] < limit }
  guard !hard.isEmpty else { return Tensor(0, precision: logits.precision) }
  let shares = hard.map { (weights?[labels[$0]] ?? 1) / Double(hard.count) }
  return (losses.gathered(0, hard) * Tensor(shares, shape: [hard.count], precision: losses.precision)).sum()
}
