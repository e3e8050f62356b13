import Base
import Networks
import Tensors

/// The difference of two pictures in the features of VGG-19: `P = Σ η · mean |φ(found) - φ(truth)|`, with η = 1/4 for conv4_4 and 1/2 for
/// conv5_4, both before relu.
///
/// The gradient goes to the found picture alone: the network is frozen, and the truth is looked at without recording.
/// - Source: the MAT paper (arXiv 2203.15270), section 3.5; Johnson, Alahi, Fei-Fei 2016.
public struct PerceptualLoss {
  private let network: VGG19Features

  /// - Parameter network: with its weights; its parameters are frozen here.
  public init(_ network: VGG19Features) { self.network = network.frozen() }

  /// - Shape: `[n, h, w, 3]` in -1...1 and at least 16 pixels high and wide, both → a scalar.
  public func callAsFunction(_ found: Tensor, _ truth: Tensor) -> Tensor {
    require(found.shape == truth.shape, "PerceptualLoss: pictures of shapes \(found.shape) and \(truth.shape)")
    let wanted = noGradient { network(ImageNetStatistics.normalized(truth)) }
    let features = network(ImageNetStatistics.normalized(found))
    return meanAbsoluteError(features.conv4, wanted.conv4) * 0.25 + meanAbsoluteError(features.conv5, wanted.conv5) * 0.5
  }
}
