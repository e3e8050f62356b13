import Base
import Tensors

/// Batch normalisation that never learns: `y = x · s + t` with `s = weight / √(running_var + ε)` and `t = bias - running_mean · s`.
///
/// Detection models take the backbone's statistics from a classifier and keep them: their batches are too small for statistics of
/// their own. Behind a `Conv2d`, call the convolution with the normalisation (`conv(x, norm, pass, …)`): it then takes no pass over memory.
/// - Shape: `[n, ..., c]` → same.
/// - Names: `weight`, `bias`, `running_mean`, `running_var` `[c]`, all buffers; no `num_batches_tracked`.
/// - Initialiser: weight 1, bias 0, mean 0, variance 1.   - Source: Detectron's and torchvision's `FrozenBatchNorm2d`.
public struct FrozenBatchNorm2d: NormalizationLayer {
  public let weight: Buffer
  public let bias: Buffer
  public let runningMean: Buffer
  public let runningVar: Buffer
  public let epsilon: Double

  public init(_ channels: Int, epsilon: Double = 1e-5) {
    weight = Buffer(.ones([channels]))
    bias = Buffer(.zeros([channels]))
    runningMean = Buffer(.zeros([channels]))
    runningVar = Buffer(.ones([channels]))
    self.epsilon = epsilon
  }

  public func normalized(_ x: Tensor, _ pass: Pass, then tail: NormalizationEpilogue) -> Tensor {
    var tail = tail
    tail.weight = weight.value
    tail.bias = bias.value
    return x.normalized(mean: runningMean.value, variance: runningVar.value, tail, epsilon: epsilon)
  }

  public func constantAffine(_ pass: Pass) -> ConstantAffine? {
    ConstantAffine(mean: runningMean.value, variance: runningVar.value, weight: weight.value, bias: bias.value, epsilon: epsilon)
  }
}

/// A normalisation by given statistics, written as `y = x · scale + shift` for each channel; both are `[channels]`.
public struct ConstantAffine {
  public let scale: Tensor
  public let shift: Tensor
  /// Whether training may change the scale.
  let isLearned: Bool

  /// - Parameter weight: nil: 1.
  init(mean: Tensor, variance: Tensor, weight: Tensor?, bias: Tensor, epsilon: Double) {
    let key = "affine, epsilon \(epsilon)", parts = [mean, variance, bias]
    let make: () -> [Tensor] = {
      let factor = (variance + epsilon).power(-0.5), scale = weight.map { $0 * factor } ?? factor
      return [scale, bias - mean * scale]
    }
    let values = weight.map { $0.values(key, with: parts, make) } ?? mean.values(key, with: parts, make)
    (scale, shift) = (values[0], values[1])
    isLearned = weight?.isRecorded ?? false
  }
}

extension Conv2d {
  /// The convolution, a normalisation, and what often follows: `outputActivation(residual + activation(norm(conv(x))))`.
  ///
  /// If the normalisation is a constant scale and shift in this pass, they go into the convolution's epilogue, as do residual and
  /// activation; a scale that learns goes into the weights, because its gradient follows from theirs:
  /// `norm(conv(x, w)) = conv(x, w · scale) + shift`. Otherwise this is `norm(conv(x), pass, …)`.
  /// ```swift
  /// var y = conv1(x, bn1, pass, activation: .relu)
  /// y = conv2(y, bn2, pass, residual: x, outputActivation: .relu)   // the end of a residual block
  /// ```
  public func callAsFunction(
    _ x: Tensor, _ norm: some NormalizationLayer, _ pass: Pass, activation: Rectifier = .none, residual: Tensor? = nil,
    outputActivation: Rectifier = .none
  ) -> Tensor {
    guard let affine = norm.constantAffine(pass) else {
      return norm(self(x), pass, activation: activation, residual: residual, outputActivation: outputActivation)
    }
    let shift = bias.map { $0.value * affine.scale + affine.shift } ?? affine.shift
    // The same way whether gradients are recorded or not: what runs again in a backward pass must give the same bits.
    let isLearned = affine.scale.isRecorded || (affine.isLearned && pass.isTraining)
    let kernel = isLearned ? weight.value.scaledWeight(by: affine.scale) : weight.value
    func convolution(_ activation: FusedActivation?, _ residual: Tensor?) -> Tensor {
      x.conv2d(with: kernel, scale: isLearned ? nil : affine.scale, bias: shift, options, activation: activation, residual: residual)
    }
    guard let residual, activation == .relu else {
      return convolution(activation == .relu || outputActivation == .relu ? .relu : nil, residual)
    }
    let y = residual + convolution(.relu, nil)
    return outputActivation == .relu ? y.relu() : y
  }
}
