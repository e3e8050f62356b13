import Base
import Networks
import Tensors

/// Latent vectors to style vectors, by layers that train a hundred times slower than others. - Source: Karras et al. 2019 (StyleGAN).
///
/// - Shape: z `[n, zDim]` → w `[n, wDim]`.
/// - Names: `fc0` … `fc7`, `w_avg` `[wDim]`, the running mean of w.
struct MappingNetwork: Module {
  static let checkpointNames = ["layers": ""]
  /// The share of the running mean that stays.
  static let averageDecay = 0.995

  let wAvg: Buffer
  let layers: [Named<EqualizedLinear>]

  init(_ config: MAT.Config, _ random: inout Random) {
    wAvg = Buffer(.zeros([config.wDim]))
    layers = (0..<config.mappingLayers).map { index in
      Named("fc\(index)", EqualizedLinear(
        index == 0 ? config.zDim : config.wDim, config.wDim, activation: .leakyRelu, rateMultiplier: 0.01, &random))
    }
  }

  /// - Parameters:
  ///   - truncation: ψ: how far from the mean style; 1 leaves w as it is.
  ///   - updatesAverage: let the running mean see this batch first.
  func callAsFunction(_ z: Tensor, truncation: Double, updatesAverage: Bool) -> Tensor {
    let normalized = z * (z.squared().mean([1], keepingAxes: true) + 1e-8).power(-0.5)
    let w = layers.reduce(normalized) { $1.module($0) }
    if updatesAverage {
      let mean = w.detached().mean([0])
      wAvg.value = mean + (wAvg.value - mean) * Self.averageDecay
    }
    guard truncation != 1 else { return w }
    return wAvg.value + (w - wAvg.value) * truncation
  }
}
