import Base
import Foundation
import Networks
import Tensors

/// The loss that an appearance network learns by. Section `loss`.
public struct AppearanceLoss: Codable, Sendable, Equatable, ValidatedConfig, SelectiveConfig, ConfigPreset {
  public enum Kind: String, ConfigChoice {
    /// Which of the identities a crop shows, by the cosine to a learned direction of each: the published training.
    case cosineSoftmax
    /// Pairs: near for one identity, `margin` apart for two.
    case contrastive
    /// All triplets of a batch.
    case triplet
    /// The hardest triplet of each crop.
    case batchHard
    /// Whether two crops show one identity, by a learned weight of each feature's difference.
    case verification
  }

  public var kind = Kind.cosineSoftmax
  /// `cosine_softmax`: the number of identities; 0: as many as the training data have.
  public var identities = 0
  /// `cosine_softmax`: κ at the beginning; it is learned.
  public var scale = 10.0
  /// `contrastive`: the distance that two identities shall have, 1 unless it is given; `triplet`, `batch_hard`: how much nearer the
  /// positive shall be. Distances of unit vectors reach 2.
  public var margin = 0.3
  /// `triplet`, `batch_hard`: `log(1 + exp(d⁺ - d⁻))` in place of the margin.
  public var softMargin = false
  /// `contrastive`, `verification`: whether pairs of one identity and of two weigh half each.
  public var balanced = true

  /// The usual margin of a loss: 1 for pairs of unit vectors, 0.3 for triplets.
  public init(_ kind: Kind = .cosineSoftmax) {
    self.kind = kind
    margin = kind == .contrastive ? 1 : 0.3
  }

  public static func defaults(for section: ConfigSection) -> AppearanceLoss {
    AppearanceLoss(section.text("kind").flatMap(Kind.named) ?? .cosineSoftmax)
  }

  public static let selector = "kind"

  public var unusedKeys: [String] {
    let used = switch kind {
    case .cosineSoftmax: ["identities", "scale"]
    case .contrastive: ["margin", "balanced"]
    case .triplet, .batchHard: ["margin", "soft_margin"]
    case .verification: ["balanced"]
    }
    return ["identities", "scale", "margin", "soft_margin", "balanced"].filter { !used.contains($0) }
  }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((0...10_000_000).contains(identities) && identities != 1, "identities", identities,
                     "0 (those of the data), or 2 to 10000000")
    problems.require(scale > 0 && scale <= 1000, "scale", scale, "above 0, at most 1000")
    problems.require(margin >= 0 && margin <= 4, "margin", margin, "0 to 4")
    return problems
  }

  /// Whether every identity of a batch needs a second crop in it.
  public var comparesCrops: Bool { kind != .cosineSoftmax }

  private var tripletMargin: TripletMargin { softMargin ? .soft : .hinge(margin) }

  /// The loss of a batch.
  /// - Parameters:
  ///   - features: of unit length, `[n, features]`.
  ///   - labels: the identity of each row; with `cosine_softmax` from 0 to the number of identities.
  ///   - head: what the loss learns besides the network.
  /// - Returns: the loss, and numbers for the log.
  public func callAsFunction(
    _ features: Tensor, _ labels: [Int], _ head: AppearanceHead
  ) -> (total: Tensor, terms: [(name: String, value: Tensor)]) {
    switch kind {
    case .cosineSoftmax:
      let scale = head.scale.map { $0.value.softplus() } ?? Tensor(1, precision: features.precision)
      guard let weight = head.weight else { stop("AppearanceLoss: cosine_softmax without the directions of identities") }
      return (cosineSoftmax(features, weights: weight.value, scale: scale, labels), [("scale", scale)])
    case .contrastive: return (contrastiveLoss(features, labels, margin: margin, isBalanced: balanced), [])
    case .triplet: return (tripletLoss(features, labels, margin: tripletMargin), [])
    case .batchHard: return (batchHardTripletLoss(features, labels, margin: tripletMargin), [])
    case .verification:
      guard let weight = head.weight, let bias = head.bias else { stop("AppearanceLoss: verification without weights") }
      return (verificationLoss(features, labels, weight: weight.value, bias: bias.value, isBalanced: balanced), [])
    }
  }
}

/// What a loss of features learns besides the network.
///
/// - Names: with `cosine_softmax` `weight` `[identities, features]` and `scale` `[1]` (κ = softplus(scale)); with `verification` `weight`
///   `[1, features]` and `bias` `[1]`; else none.
/// - Initialiser: `weight` normal with deviation 0.001, biases 0; the weights of `verification` all -1, so that near crops are alike.
public struct AppearanceHead: Module {
  public let weight: Parameter?
  public let scale: Parameter?
  public let bias: Parameter?

  public init(_ loss: AppearanceLoss, features: Int, _ random: inout Random) {
    switch loss.kind {
    case .cosineSoftmax:
      weight = Parameter(.normal([max(loss.identities, 1), features], deviation: 1e-3, &random))
      // The inverse of softplus, log(exp(κ) - 1), without overflow.
      scale = Parameter(Tensor([loss.scale + log(1 - exp(-loss.scale))], shape: [1]))
      bias = nil
    case .verification:
      weight = Parameter(Tensor(filling: [features, 1], with: -1), layout: .linear)
      scale = nil
      bias = Parameter(.zeros([1]))
    case .contrastive, .triplet, .batchHard:
      (weight, scale, bias) = (nil, nil, nil)
    }
  }
}

/// An appearance network and what its loss learns. - Names: those of the network, and `head.…`.
public struct AppearanceLearning: Module {
  public static let checkpointNames = ["network": ""]

  public let network: AppearanceNetwork
  public let head: AppearanceHead

  public init(_ model: AppearanceNetwork.Config, _ loss: AppearanceLoss, _ random: inout Random) {
    network = AppearanceNetwork(model, &random)
    head = AppearanceHead(loss, features: model.features, &random)
  }

  public init(_ network: AppearanceNetwork, _ head: AppearanceHead) { (self.network, self.head) = (network, head) }
}
