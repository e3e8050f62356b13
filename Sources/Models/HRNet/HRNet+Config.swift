import Base
import Networks

extension HRNet {
  /// The body as published, and the variants of the paper's ablations (tables 12 and 13).
  public struct Config: Codable, Sendable, Equatable, ValidatedConfig {
    public var variant = Variant.w32
    /// Channels of the highest resolution, which double with each lower one; 0: the variant's.
    public var width = 0
    /// Stages 2 to 4; none: the variant's.
    public var stages: [Stage] = []
    /// Channels of the stem, two strided convolutions.
    public var stemWidth = 64
    /// Bottlenecks of the first stage, and channels of their 3x3 convolutions; 0: the variant's.
    public var layer1Blocks = 0
    public var layer1Width = 0
    public var fusion = Fusion.everyUnit
    public var resolutions = Resolutions.growing
    public var downsampling = Downsampling.strided
    public var norm = ResNet.BackboneNorm.batch
    /// The share of the batch in the running statistics of batch normalisation: 0.1, and 0.01 for the first segmentation networks.
    public var normMomentum = 0.1
    /// Run the stem, the first stage and the blocks of the highest resolution again in the backward pass rather than keep their
    /// activations: less memory (of a step of W32 at 256x192 with batch 4 a quarter), more time, the same bits.
    public var recompute = false

    public init(_ variant: Variant = .w32) { self.variant = variant }

    /// A small network with all stages and resolutions, for tests.
    public static func narrow(_ width: Int = 4) -> Config {
      var config = Config(.w18)
      config.stages = (2...4).map { Stage(modules: 1, blocks: 1, widths: Stage.doubled(width, $0)) }
      (config.stemWidth, config.layer1Blocks, config.layer1Width) = (8, 1, 4)
      return config
    }

    public func problems() -> [ConfigProblem] {
      var problems: [ConfigProblem] = []
      problems.require(stages.isEmpty || stages.count == 3, "stages", stages.count, "three stages, or none for the variant's")
      problems.require(stages.isEmpty || width == 0, "width", width, "0 where stages are given, which name their widths")
      problems.require(width >= 0, "width", width, "0 or more")
      problems.require(stemWidth > 0, "stem_width", stemWidth, "1 or more")
      problems.require(layer1Blocks >= 0, "layer1_blocks", layer1Blocks, "0 or more")
      problems.require(layer1Width >= 0, "layer1_width", layer1Width, "0 or more")
      problems.require(normMomentum > 0 && normMomentum <= 1, "norm_momentum", normMomentum, "above 0, at most 1")
      var branches = 1
      for (index, stage) in stages.enumerated() {
        let key = "stages.\(index)"
        problems.require(stage.modules > 0, "\(key).modules", stage.modules, "1 or more")
        problems.require(stage.blocks > 0, "\(key).blocks", stage.blocks, "1 or more")
        problems.require(stage.widths.count >= branches && stage.widths.allSatisfy { $0 > 0 }, "\(key).widths", stage.widths,
                         "the channels of each resolution, at least as many resolutions as the stage before (\(branches))")
        branches = max(branches, stage.widths.count)
      }
      return problems
    }
  }

  /// A stage of parallel resolutions: exchange modules one after the other.
  public struct Stage: ConfigElement, Equatable {
    /// Exchange modules: blocks of each resolution, then a fusion of all.
    public var modules = 1
    /// Basic blocks of each resolution in a module.
    public var blocks = 4
    /// Channels of each resolution, the highest first: as many branches.
    public var widths: [Int] = []

    public init() {}

    public init(modules: Int, blocks: Int, widths: [Int]) {
      (self.modules, self.blocks, self.widths) = (modules, blocks, widths)
    }

    /// The widths of so many resolutions.
    static func doubled(_ width: Int, _ branches: Int) -> [Int] { (0..<branches).map { width << $0 } }
  }

  /// The published sizes, named by the channels of the highest resolution.
  public enum Variant: String, ConfigChoice {
    case w18SmallV1, w18SmallV2, w18, w30, w32, w40, w44, w48, w64
  }

  /// Where the resolutions exchange what they see.
  public enum Fusion: String, ConfigChoice {
    /// At the end of every module: 8 fusions in the published networks.
    case everyUnit
    /// At the end of every stage: 3.
    case acrossStages
    /// At the end of the last stage only: 1.
    case final
  }

  /// Where resolutions begin.
  public enum Resolutions: String, ConfigChoice {
    /// One more with every stage.
    case growing
    /// All of the last stage from the second stage on.
    case all
  }

  /// The way to a lower resolution in a fusion.
  public enum Downsampling: String, ConfigChoice {
    /// 3x3 convolutions of stride 2, one for each halving.
    case strided
    /// Bilinear interpolation, then a 1x1 convolution.
    case bilinear
  }
}

extension HRNet.Config {
  /// The stages with the variant's sizes filled in.
  public var resolvedStages: [HRNet.Stage] {
    let preset = variant.preset
    let first = width > 0 ? width : preset.width
    let growing = !stages.isEmpty ? stages : (0..<3).map {
      HRNet.Stage(modules: preset.modules[$0], blocks: preset.blocks, widths: HRNet.Stage.doubled(first, $0 + 2))
    }
    guard resolutions == .all, let last = growing.last else { return growing }
    return growing.map { HRNet.Stage(modules: $0.modules, blocks: $0.blocks, widths: last.widths) }
  }

  /// Channels of the outputs, the highest resolution first.
  public var widths: [Int] { resolvedStages.last?.widths ?? [] }

  var firstStage: (blocks: Int, width: Int) {
    let preset = variant.preset.layer1
    return (layer1Blocks > 0 ? layer1Blocks : preset.blocks, layer1Width > 0 ? layer1Width : preset.width)
  }

  func style(_ weights: Initializer) -> BlockStyle {
    BlockStyle(weights: weights) { [norm, normMomentum] in norm.make($0, momentum: normMomentum) }
  }
}

extension HRNet.Variant {
  /// The sizes of one variant.
  struct Preset {
    /// Bottlenecks of the first stage, and channels of their 3x3 convolutions.
    let layer1: (blocks: Int, width: Int)
    /// Channels of the highest resolution.
    let width: Int
    /// Modules of the stages 2 to 4.
    let modules: [Int]
    /// Basic blocks of each resolution in a module.
    let blocks: Int
  }

  var preset: Preset {
    switch self {
    case .w18SmallV1: Preset(layer1: (1, 32), width: 16, modules: [1, 1, 1], blocks: 2)
    case .w18SmallV2: Preset(layer1: (2, 64), width: 18, modules: [1, 3, 2], blocks: 2)
    case .w18: Preset(layer1: (4, 64), width: 18, modules: [1, 4, 3], blocks: 4)
    case .w30: Preset(layer1: (4, 64), width: 30, modules: [1, 4, 3], blocks: 4)
    case .w32: Preset(layer1: (4, 64), width: 32, modules: [1, 4, 3], blocks: 4)
    case .w40: Preset(layer1: (4, 64), width: 40, modules: [1, 4, 3], blocks: 4)
    case .w44: Preset(layer1: (4, 64), width: 44, modules: [1, 4, 3], blocks: 4)
    case .w48: Preset(layer1: (4, 64), width: 48, modules: [1, 4, 3], blocks: 4)
    case .w64: Preset(layer1: (4, 64), width: 64, modules: [1, 4, 3], blocks: 4)
    }
  }
}
