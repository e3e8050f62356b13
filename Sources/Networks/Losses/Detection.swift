import Base
import Tensors

// Losses of boxes and masks.

/// The generalised IoU of boxes and their counterparts, in -1...1: the IoU, less the share of the enclosing box that neither covers.
/// - Shape: `[n, 4]` each (centre x, centre y, width, height) → `[n]`.
/// - Source: Rezatofighi et al. 2019.
public func generalizedIoU(_ a: Tensor, _ b: Tensor) -> Tensor {
  require(a.shape == b.shape && a.rank == 2 && a.shape[1] == 4, "generalizedIoU: boxes of shape \(a.shape) and \(b.shape), expected [n, 4]")
  let (first, second) = (Corners(a), Corners(b))
  let shared = first.extent(to: second) { ($0.maximum($1), $2.minimum($3)) }
  let intersection = shared.width.relu() * shared.height.relu()
  let union = first.area + second.area - intersection
  let hull = first.extent(to: second) { ($0.minimum($1), $2.maximum($3)) }
  let enclosing = hull.width * hull.height
  return (intersection / union - (enclosing - union) / enclosing).reshaped(to: [a.shape[0]])
}

/// The corners of boxes, `[1, n]` each.
private struct Corners {
  let x0, y0, x1, y1: Tensor

  init(_ boxes: Tensor) {
    let parts = boxes.transposed([1, 0]).split(0, into: 4)
    x0 = parts[0] - parts[2] * 0.5
    y0 = parts[1] - parts[3] * 0.5
    x1 = parts[0] + parts[2] * 0.5
    y1 = parts[1] + parts[3] * 0.5
  }

  var area: Tensor { (x1 - x0) * (y1 - y0) }

  /// Width and height between the lower and upper ends that `ends` chooses from both boxes'.
  func extent(
    to other: Corners, _ ends: (_ low: Tensor, _ otherLow: Tensor, _ high: Tensor, _ otherHigh: Tensor) -> (Tensor, Tensor)
  ) -> (width: Tensor, height: Tensor) {
    let (left, right) = ends(x0, other.x0, x1, other.x1)
    let (top, bottom) = ends(y0, other.y0, y1, other.y1)
    return (right - left, bottom - top)
  }
}

/// Binary cross-entropy of logits, weighted down where the prediction is sure and right: `α_t (1 - p_t)^γ · -log p_t` for each element.
/// - Parameters:
///   - truth: 0 or 1 for each logit.
///   - alpha: the weight of ones; `1 - alpha` is that of zeros.
/// - Source: Lin et al., "Focal loss for dense object detection", 2017, equation 5, with γ = 2.
public func sigmoidFocalLoss(_ logits: Tensor, _ truth: Tensor, alpha: Double = 0.25) -> Tensor {
  require(logits.shape == truth.shape, "sigmoidFocalLoss: logits \(logits.shape) and truth \(truth.shape) must have one shape")
  let p = logits.sigmoid()
  let entropy = binaryCrossEntropy(logits, truth, .none)
  let miss = p + truth - p * truth * 2  // 1 - p_t
  return entropy * miss.squared() * (truth * (2 * alpha - 1) + (1 - alpha))
}

/// `1 - (2 Σ p t + 1) / (Σ p + Σ t + 1)` for each row, with the probabilities `p` of the logits.
/// - Shape: `[n, pixels]` each → `[n]`.
/// - Source: Milletari et al. 2016, with the sum of values in the denominator and 1 added, as DETR has it.
public func diceLoss(_ logits: Tensor, _ truth: Tensor) -> Tensor {
  require(logits.shape == truth.shape && logits.rank == 2,
    "diceLoss: logits \(logits.shape) and truth \(truth.shape), expected [n, pixels]")
  let p = logits.sigmoid()
  let shared = (p * truth).sum([1])
  return 1 - (shared * 2 + 1) / (p.sum([1]) + truth.sum([1]) + 1)
}
