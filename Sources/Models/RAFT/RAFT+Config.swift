import Base
import Networks

extension RAFT {
  /// The network as published, and the variants of the paper's ablations (table 2).
  public struct Config: Codable, Sendable, Equatable {
    public var variant = Variant.small
    /// The recurrent unit that updates the hidden state.
    public var updateOperator = UpdateOperator.preset
    /// Whether all iterations share one update block. Untied: 32.5 M parameters with a `gru` of 12 blocks and bilinear upsampling.
    public var weightTying = WeightTying.tied
    /// With untied weights: update blocks, one for each iteration in training. No more iterations than blocks are possible.
    public var untiedBlocks = 12
    /// The context encoder of image 1: it starts the hidden state and feeds every update. Without it the state starts at zero.
    public var context = true
    /// The source of the correlation's levels.
    public var featureScale = FeatureScale.single
    /// The input of an update about the match of both images.
    public var refinement = Refinement.correlation
    /// The computation of correlations: the same numbers but for rounding.
    public var correlation = CorrelationMethod.volume
    /// Levels of the correlation pyramid, each half as large as the one before; 1: no pooling.
    public var correlationLevels = 4
    /// Half width of the lookup window, in cells of each level; -1: the preset's.
    public var correlationRadius = -1
    /// Pixels of image 2 farther than this from the pixel of image 1, along x or y, are not correlated with it: as if they lay outside
    /// the image. A cell of a level counts by its first cell of level 0. Pixels, a multiple of 8; 0: all pairs.
    public var correlationRange = 0
    /// From an eighth of the resolution to the whole.
    public var upsampling = Upsampling.preset
    /// Share of feature channels dropped in training, 0..<1.
    public var dropout = 0.0
    /// Run the encoders again in the backward pass rather than keep their activations: less memory, more time, the same bits.
    public var recompute = false

    public init(variant: Variant = .small) { self.variant = variant }
  }

  /// The recurrent unit that updates the hidden state.
  public enum UpdateOperator: String, ConfigChoice {
    /// As the variant has it: `sepConvGRU` in large, `gru` in small.
    case preset
    /// One gated recurrent unit of 3x3 convolutions.
    case gru
    /// Two units in turn, of 1x5 and then 5x1 convolutions.
    case sepConvGRU
    /// Three 3x3 convolutions with ReLU, the first of which sees state and input: no gates. Large, bilinear: 4.08 M parameters.
    case convolutions
  }

  public enum WeightTying: String, ConfigChoice { case tied, untied }

  /// The source of the correlation's levels.
  public enum FeatureScale: String, ConfigChoice {
    /// Features at an eighth of the resolution; level `m` pools their correlations.
    case single
    /// Features at every level's own resolution, from one more stage of the encoder each (as wide as the last, projected by the same 1x1
    /// convolution): a correlation of both images at each scale. The paper does not describe the stages; these give its 6.6 M parameters.
    case multi
  }

  /// The input of an update about the match of both images.
  public enum Refinement: String, ConfigChoice {
    case correlation
    /// The features of image 1 beside those of image 2 at the pixels where the flow points, in place of the correlations. Nothing else
    /// changes, so large with bilinear upsampling has 4.86 M parameters; the paper's 2.8 M would need smaller encoders, too, of which it
    /// says nothing.
    case warping
  }

  /// The computation of correlations.
  public enum CorrelationMethod: String, ConfigChoice {
    /// All pairs once, and their pyramid: memory grows with the square of the number of pixels. Fastest for many iterations.
    case volume
    /// In each lookup, for its windows only: memory grows with the number of pixels.
    case onTheFly
  }

  /// From an eighth of the resolution to the whole.
  public enum Upsampling: String, ConfigChoice {
    /// As the variant has it: `convex` in large, `bilinear` in small.
    case preset
    /// Every pixel is a learned combination of the nine coarse ones around it.
    case convex
    case bilinear
  }
}

extension RAFT.Config {
  var preset: RAFT.Preset { variant.preset }
  /// Half width of the lookup window, the preset's resolved.
  public var lookupRadius: Int { correlationRadius < 0 ? preset.radius : correlationRadius }
  var isUpsamplingConvex: Bool { (upsampling == .preset ? preset.upsampling : upsampling) == .convex }

  /// Every level of the correlation pyramid needs two cells: with four levels, images need 128 pixels each way, `8 · 2³ · 2`.
  public var minimumSize: Int { RAFT.stride << (refinement == .warping ? 1 : correlationLevels) }

  /// Channels of what an update learns about the match.
  var matchChannels: Int {
    switch refinement {
    case .correlation: correlationLevels * (2 * lookupRadius + 1) * (2 * lookupRadius + 1)
    case .warping: 2 * preset.features
    }
  }
}

extension RAFT {
  /// The published sizes of the network.
  public enum Variant: String, ConfigChoice {
    case small, large

    var preset: Preset {
      switch self {
      case .small:
        Preset(block: .bottleneck, stem: 32, widths: [32, 64, 96],  features: 128, hidden:  96, context:  64, contextNorm: .none,
               radius: 3, correlationWidths: [96],       flowWidths: [ 64, 32], motion:  80, headWidth: 128,
               updateOperator: .gru,        upsampling: .bilinear)
      case .large:
        Preset(block: .residual,   stem: 64, widths: [64, 96, 128], features: 256, hidden: 128, context: 128, contextNorm: .batch,
               radius: 4, correlationWidths: [256, 192], flowWidths: [128, 64], motion: 126, headWidth: 256,
               updateOperator: .sepConvGRU, upsampling: .convex)
      }
    }
  }

  /// The sizes and units of one variant.
  struct Preset {
    /// Encoders: their blocks, and channels after the stem and after each of the three stages.
    let block: FeatureEncoder.Block
    let stem: Int
    let widths: [Int]
    /// Channels that are correlated.
    let features: Int
    /// Channels of the recurrent state.
    let hidden: Int
    /// Channels of the context, which feeds the recurrent state.
    let context: Int
    let contextNorm: Normalization.Kind
    /// Half width of the lookup window.
    let radius: Int
    /// Channels of the motion encoder's branch for the correlation.
    let correlationWidths: [Int]
    /// Channels of its branch for the flow.
    let flowWidths: [Int]
    /// Channels of the fusion of both, before the flow itself is appended.
    let motion: Int
    /// Hidden channels of the flow head and of the mask head.
    let headWidth: Int
    let updateOperator: UpdateOperator
    let upsampling: Upsampling
  }
}
