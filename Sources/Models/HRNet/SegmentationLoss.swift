import Base
import Networks
import Tensors

/// The loss of label maps: of the logits, and with object context of the auxiliary ones.
///
/// Logits are interpolated to the size of the labels first.
/// - Source: the authors' segmentation repository. The auxiliary logits always have plain cross-entropy: with `ohem` its mean over all
///   pixels, the ignored ones too, whatever the weights of their classes.
public struct SegmentationLoss: Codable, Sendable, Equatable, ValidatedConfig {
  public var kind = Kind.crossEntropy
  /// The label of pixels that do not count.
  public var ignore = 255
  /// One weight for each class; none: 1 each.
  public var classWeights: [Double] = []
  /// With `ohem`: pixels whose class has a lower probability count, and at least `minKept` of a batch.
  public var threshold = 0.9
  public var minKept = 131_072
  /// Weights of the auxiliary logits' loss and of the logits' own.
  public var auxWeight = 0.4
  public var mainWeight = 1.0

  public enum Kind: String, ConfigChoice {
    /// The mean over all pixels, by the weights of their classes.
    case crossEntropy
    /// The mean over the hard pixels.
    case ohem
  }

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(classWeights.allSatisfy { $0 >= 0 } && !(classWeights.allSatisfy { $0 == 0 } && !classWeights.isEmpty),
                     "class_weights", classWeights, "0 or more each, one of them more")
    problems.require(threshold > 0 && threshold <= 1, "threshold", threshold, "above 0, at most 1")
    problems.require(minKept >= 0, "min_kept", minKept, "0 or more")
    problems.require(auxWeight >= 0, "aux_weight", auxWeight, "0 or more")
    problems.require(mainWeight > 0, "main_weight", mainWeight, "above 0")
    return problems
  }

  /// Losses of a batch.
  public struct Report {
    /// What is learned from: the weighted sum.
    public let total: Tensor
    /// Before `auxWeight` and `mainWeight`: `cross_entropy` of the logits (with `ohem`, of the hard pixels) and, with object context,
    /// `cross_entropy_aux`.
    public let terms: [(name: String, value: Tensor)]
  }

  /// - Parameters:
  ///   - labels: of all pixels, image by image, row by row. If all are ignored, the loss is 0 without a gradient.
  ///   - size: height and width of a label map.
  public func callAsFunction(_ output: HRNetSegmentation.Output, _ labels: [Int], size: Extent, alignCorners: Bool) -> Report {
    let weights = classWeights.isEmpty ? nil : classWeights
    require(weights.map { $0.count == output.logits.shape.last } ?? true,
      "SegmentationLoss: \(classWeights.count) class weights for logits of shape \(output.logits.shape)")
    let counts = labels.contains { $0 != ignore && (weights?[$0] ?? 1) > 0 }
    func resized(_ logits: Tensor) -> Tensor {
      logits.shape[1] == size.height && logits.shape[2] == size.width ? logits : logits.resized(to: size, alignCorners: alignCorners)
    }
    func plain(_ logits: Tensor, _ reduction: LossReduction) -> Tensor {
      guard counts else { return Tensor(0, precision: logits.precision) }
      return crossEntropy(resized(logits), labels, weights: weights, ignoring: ignore, reduction)
    }
    let main = switch kind {
    case .crossEntropy: plain(output.logits, .mean)
    case .ohem: onlineHardCrossEntropy(
      resized(output.logits), labels, threshold: threshold, minKept: minKept, weights: weights, ignoring: ignore)
    }
    guard let logits = output.aux else { return Report(total: main * mainWeight, terms: [("cross_entropy", main)]) }
    let aux = kind == .ohem ? plain(logits, .sum) * (1 / Double(labels.count)) : plain(logits, .mean)
    return Report(total: aux * auxWeight + main * mainWeight, terms: [("cross_entropy", main), ("cross_entropy_aux", aux)])
  }
}
