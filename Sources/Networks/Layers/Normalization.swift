import Base
import Tensors

/// A normalisation, which takes what often follows it into its own pass over memory:
/// `y = outputActivation(residual + activation(normalised))`.
///
/// ```swift
/// var y = norm1(conv1(x), pass, activation: .relu)
/// y = norm2(conv2(y), pass, residual: x, outputActivation: .relu)   // the end of a residual block
/// ```
public protocol NormalizationLayer: Layer {
  /// - Parameter tail: what follows; the layer adds its own weight and bias.
  func normalized(_ x: Tensor, _ pass: Pass, then tail: NormalizationEpilogue) -> Tensor

  /// The layer as a scale and a shift of each channel, if it is that in this pass: see `Conv2d`.
  func constantAffine(_ pass: Pass) -> ConstantAffine?
}

extension NormalizationLayer {
  public func constantAffine(_ pass: Pass) -> ConstantAffine? { nil }

  /// - Shape: `x` and the residual of one shape → same.
  public func callAsFunction(
    _ x: Tensor, _ pass: Pass, activation: Rectifier = .none, residual: Tensor? = nil, outputActivation: Rectifier = .none
  ) -> Tensor {
    normalized(x, pass, then: NormalizationEpilogue(activation: activation, residual: residual, outputActivation: outputActivation))
  }

  public func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { normalized(x, pass, then: NormalizationEpilogue()) }
}

extension NormalizationEpilogue {
  /// The same after a learned scale and shift.
  fileprivate func scaled(by weight: Parameter?, plus bias: Parameter?) -> NormalizationEpilogue {
    var tail = self
    (tail.weight, tail.bias) = (weight?.value, bias?.value)
    return tail
  }
}

/// Batch normalisation, `y = (x - mean) / √(variance + ε) · weight + bias`, one mean and variance per channel.
///
/// Training normalises by the batch and updates the running statistics, `r ← (1 - momentum) r + momentum · batch` (with the unbiased
/// variance). Evaluation, and training with `Pass.frozenNormalization` or after `Module.freezeStatistics` named the layer, normalise by the
/// running statistics.
/// - Shape: `[n, ..., c]` → same.   - Names: `weight`, `bias`, `running_mean`, `running_var` `[c]`, `num_batches_tracked`; without a
///   scale no `weight`.
/// - Initialiser: weight 1, bias 0, mean 0, variance 1.   - Source: Ioffe, Szegedy 2015; momentum as PyTorch defines it.
public struct BatchNorm2d: NormalizationLayer {
  public let weight: Parameter?
  public let bias: Parameter
  public let runningMean: Buffer
  public let runningVar: Buffer
  public let numBatchesTracked: Counter
  public let epsilon: Double
  public let momentum: Double

  /// - Parameter hasScale: whether there is a weight; without one the next layer's weights have to scale.
  public init(_ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1, hasScale: Bool = true) {
    weight = hasScale ? Parameter(.ones([channels])) : nil
    bias = Parameter(.zeros([channels]))
    runningMean = Buffer(.zeros([channels]))
    runningVar = Buffer(.ones([channels]))
    numBatchesTracked = Counter()
    self.epsilon = epsilon
    self.momentum = momentum
  }

  public func normalized(_ x: Tensor, _ pass: Pass, then tail: NormalizationEpilogue) -> Tensor {
    let tail = tail.scaled(by: weight, plus: bias)
    guard usesBatchStatistics(pass) else {
      return x.normalized(mean: runningMean.value, variance: runningVar.value, tail, epsilon: epsilon)
    }
    let count = x.count / bias.shape[0]
    require(count > 1, "BatchNorm2d: \(count) values per channel in shape \(x.shape) have no variance; use a larger batch")
    let (y, mean, variance) = x.normalizedWithMoments(.batch, tail, epsilon: epsilon)
    if !pass.isRecomputing { remember(mean, variance * (Double(count) / Double(count - 1))) }
    return y
  }

  private func usesBatchStatistics(_ pass: Pass) -> Bool { pass.usesBatchStatistics && !runningMean.isFrozen }

  public func constantAffine(_ pass: Pass) -> ConstantAffine? {
    guard !usesBatchStatistics(pass) else { return nil }
    return ConstantAffine(mean: runningMean.value, variance: runningVar.value, weight: weight?.value, bias: bias.value, epsilon: epsilon)
  }

  private func remember(_ mean: Tensor, _ unbiasedVariance: Tensor) {
    runningMean.update { $0.blend(with: mean, keep: 1 - momentum) }
    runningVar.update { $0.blend(with: unbiasedVariance, keep: 1 - momentum) }
    numBatchesTracked.value += 1
  }
}

/// Instance normalisation: each channel of each image by its own mean and variance, in training and evaluation alike.
///
/// - Shape: `[n, h, w, c]` → same.   - Names: none by default; `weight`, `bias` `[c]` when affine.
/// - Source: Ulyanov et al. 2016; without running statistics, as in PyTorch by default.
public struct InstanceNorm2d: NormalizationLayer, StatelessLayer {
  public let weight: Parameter?
  public let bias: Parameter?
  public let epsilon: Double

  public init(_ channels: Int, affine: Bool = false, epsilon: Double = 1e-5) {
    weight = affine ? Parameter(.ones([channels])) : nil
    bias = affine ? Parameter(.zeros([channels])) : nil
    self.epsilon = epsilon
  }

  public func normalized(_ x: Tensor, _ pass: Pass, then tail: NormalizationEpilogue) -> Tensor {
    x.normalized(.instance, tail.scaled(by: weight, plus: bias), epsilon: epsilon)
  }
}

/// Layer normalisation over the last axis.
///
/// - Shape: `[..., c]` → same.   - Names: `weight`, `bias` `[c]`.   - Initialiser: 1 and 0.   - Source: Ba et al. 2016.
public struct LayerNorm: NormalizationLayer, StatelessLayer {
  public let weight: Parameter
  public let bias: Parameter
  public let epsilon: Double

  public init(_ channels: Int, epsilon: Double = 1e-5) {
    weight = Parameter(.ones([channels]))
    bias = Parameter(.zeros([channels]))
    self.epsilon = epsilon
  }

  public func normalized(_ x: Tensor, _ pass: Pass, then tail: NormalizationEpilogue) -> Tensor {
    x.normalized(.layer, tail.scaled(by: weight, plus: bias), epsilon: epsilon)
  }
}

/// Group normalisation: groups of neighbouring channels of each image by their own mean and variance.
///
/// - Shape: `[n, h, w, c]` → same.   - Names: `weight`, `bias` `[c]`.   - Initialiser: 1 and 0.   - Source: Wu, He 2018.
public struct GroupNorm: NormalizationLayer, StatelessLayer {
  public let weight: Parameter
  public let bias: Parameter
  public let groups: Int
  public let epsilon: Double

  public init(groups: Int, _ channels: Int, epsilon: Double = 1e-5) {
    require(groups > 0 && channels % groups == 0, "GroupNorm: \(channels) channels do not divide into \(groups) groups")
    weight = Parameter(.ones([channels]))
    bias = Parameter(.zeros([channels]))
    self.groups = groups
    self.epsilon = epsilon
  }

  public func normalized(_ x: Tensor, _ pass: Pass, then tail: NormalizationEpilogue) -> Tensor {
    x.normalized(.group(groups), tail.scaled(by: weight, plus: bias), epsilon: epsilon)
  }
}

extension StatelessLayer where Self: NormalizationLayer {
  /// These layers compute the same in every pass.
  public func callAsFunction(_ x: Tensor) -> Tensor { normalized(x, .evaluation, then: NormalizationEpilogue()) }
  public func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { normalized(x, pass, then: NormalizationEpilogue()) }
}

/// The normalisation of a block, chosen by its config. Names are those of the chosen layer, under the name of the property.
public enum Normalization: NormalizationLayer {
  /// The choice, as it stands in configs.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    case none, batch, instance
    /// Groups of eight channels.
    case group
  }

  case none
  case batch(BatchNorm2d)
  case instance(InstanceNorm2d)
  case group(GroupNorm)
  /// Of a trained backbone; no `Kind` names it, because nothing trains from it.
  case frozen(FrozenBatchNorm2d)

  public init(_ kind: Kind, _ channels: Int) {
    self = switch kind {
    case .none: .none
    case .batch: .batch(BatchNorm2d(channels))
    case .instance: .instance(InstanceNorm2d(channels))
    case .group: .group(GroupNorm(groups: channels / 8, channels))
    }
  }

  public func normalized(_ x: Tensor, _ pass: Pass, then tail: NormalizationEpilogue) -> Tensor {
    switch self {
    case .none: tail.applied(to: x)
    case .batch(let layer): layer.normalized(x, pass, then: tail)
    case .instance(let layer): layer.normalized(x, pass, then: tail)
    case .group(let layer): layer.normalized(x, pass, then: tail)
    case .frozen(let layer): layer.normalized(x, pass, then: tail)
    }
  }

  public func constantAffine(_ pass: Pass) -> ConstantAffine? {
    switch self {
    case .none, .instance, .group: nil
    case .batch(let layer): layer.constantAffine(pass)
    case .frozen(let layer): layer.constantAffine(pass)
    }
  }
}
