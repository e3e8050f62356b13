import Base
import Networks
import Tensors

/// The loss of heatmaps. - Source: the authors' pose repository.
public struct PoseLoss: Codable, Sendable, Equatable, ValidatedConfig {
  public var kind = Kind.mse
  /// Keypoints of each image that count with `ohkm`.
  public var top = 8
  /// Whether keypoints count by their target weights, so that unlabelled ones do not.
  public var targetWeight = true

  public enum Kind: String, ConfigChoice {
    /// The mean squared error of all keypoints.
    case mse
    /// That of the hardest keypoints of each image.
    case ohkm
  }

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(top > 0, "top", top, "1 or more")
    return problems
  }

  /// - Parameters:
  ///   - heatmaps, target: `[n, h, w, keypoints]`.
  ///   - weight: `[n, keypoints]`.
  public func callAsFunction(_ heatmaps: Tensor, _ target: Tensor, weight: Tensor) -> Tensor {
    let weight = targetWeight ? weight : nil
    return switch kind {
    case .mse: heatmapMSE(heatmaps, target, weight: weight)
    case .ohkm: onlineHardKeypoints(heatmaps, target, weight: weight, top: top)
    }
  }
}
