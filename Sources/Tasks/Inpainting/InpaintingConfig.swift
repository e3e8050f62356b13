import Base
import Data
import Foundation
import Models
import Networks
import Training
import Vision

/// The config of inpainting; its defaults are MAT as the authors train it on Places at 512 pixels, without its data and the weights of the
/// perceptual loss.
public struct InpaintingConfig: TaskConfig, ValidatedConfig {
  public var task = TaskName.inpainting
  public var model = MAT.Config()
  public var initialize = Initialization()
  /// What to learn from, and what to judge by.
  public var data = InpaintingData()
  public var validation = InpaintingData()
  public var augmentation = InpaintingAugmentation()
  public var train = TrainSettings(batchSize: 32)
  public var loss = InpaintingLoss()
  /// Of the generator, before the correction for `loss.generator_interval`.
  public var optimizer = InpaintingConfig.publishedOptimizer
  /// Of the discriminator, before the correction for `loss.r1_interval`.
  public var discriminatorOptimizer = InpaintingConfig.publishedOptimizer
  public var schedule = Schedule(.constant)
  public var average = GeneratorAverage()
  public var inference = InpaintingInferenceSettings()
  public var metrics = FeatureMetricSettings()
  public var plan = Plan()

  public init() {}

  /// The weights of one network go through all stages.
  public static let fixedSections: Set = ["task", "model"]

  private static var publishedOptimizer: OptimizerConfig {
    var config = OptimizerConfig(.adam, learningRate: 1e-3)
    (config.beta1, config.beta2) = (0, 0.99)
    return config
  }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    let group = min(model.minibatchGroup, train.batchSize)
    problems.require(group > 0 && train.batchSize % group == 0, "train.batch_size", train.batchSize,
                     "a multiple of model.minibatch_group (\(model.minibatchGroup)), or less than it")
    let isRefused = validation.masks.kind == .folder && augmentation.fit == .resize
    problems.require(!isRefused || validation.masks.isSquare, "validation.masks.kind", "folder",
                     "free_form where augmentation.fit resizes pictures, unless masks.is_square says that masks have the network's size")
    return problems
  }
}

/// Pictures below a folder, and where their masks are from.
public struct InpaintingData: Codable, Sendable, Equatable, ValidatedConfig, LimitedData {
  /// The folder of the pictures, at any depth; empty: no data.
  public var images = ""
  public var masks = MaskSettings()
  /// For validation: at most so many pictures, spread evenly over the set; 0: all.
  public var limit = 0

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireLimit(limit)
    return problems
  }

  /// The set; nil if there is none.
  /// - Parameter isTraining: whether masks of a folder are drawn anew for every sample, or belong to pictures.
  func open(_ config: InpaintingConfig, isTraining: Bool) throws -> InpaintingSet? {
    guard !images.isEmpty else { return nil }
    let isShared = try masks.kind == .folder && !masks.suffix.isEmpty && File.isSame(images, masks.folder)
    let pictures = try PictureTree(images, without: isShared ? masks.suffix : "")
    let source = try masks.source(of: pictures, isTraining: isTraining)
    return try InpaintingSet(pictures, source, config.augmentation, size: config.model.resolution)
  }
}

/// Where masks are from. Key `masks` of a data set.
public struct MaskSettings: Codable, Sendable, Equatable, ValidatedConfig, SelectiveConfig {
  public enum Kind: String, ConfigChoice {
    /// Drawn: rectangles and brush strokes.
    case freeForm
    /// Files: in training drawn anew for every sample, in validation one for each picture.
    case folder
  }

  public var kind = Kind.freeForm
  public var freeForm = FreeFormMask()
  public var folder = ""
  /// What a mask's name has behind the picture's, such as `_mask`.
  public var suffix = ""
  public var pairing = MaskFiles.Pairing.name
  public var polarity = MaskPolarity.whiteIsKnown
  /// Whether masks have the network's size rather than that of their picture.
  public var isSquare = false

  public init() {}

  public static let selector = "kind"
  public var unusedKeys: [String] { kind == .folder ? ["free_form"] : ["folder", "suffix", "pairing", "polarity", "is_square"] }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(kind != .folder || !folder.isEmpty, "folder", "''", "the folder of the masks")
    return problems
  }

  func source(of pictures: PictureTree, isTraining: Bool) throws -> MaskSource {
    if kind == .freeForm { return .freeForm(freeForm) }
    if !isTraining { return .files(try MaskFiles.paired(pictures, in: folder, suffix: suffix, by: pairing), polarity) }
    let masks = try PictureTree(folder)
    return .pool(masks.paths.indices.map(masks.path(of:)), polarity)
  }
}

/// The losses, and how often the regularisers act. Section `loss`.
/// - Source: section 3.5 of the paper and its published training.
public struct InpaintingLoss: Codable, Sendable, Equatable, ValidatedConfig {
  /// γ of the gradient penalty; 0: none.
  public var r1Gamma = 10.0
  /// Steps from one gradient penalty to the next; its loss is multiplied by them.
  public var r1Interval = 16
  /// Steps between regularisations of the generator. MAT has none; the correction of its optimiser for them stays.
  public var generatorInterval = 4
  /// The probability that two latent vectors share a batch's styles.
  public var styleMixing = 0.5
  /// ψ: how far styles keep away from their running mean.
  public var truncation = 0.5
  /// Weight of the difference of final pictures in features of VGG-19; 0: none.
  public var perceptual = 0.1
  /// The weights of VGG-19, a file.
  public var perceptualWeights = ""
  /// Weights of the mean absolute difference of pixels in -1…1, of the final picture and of the first stage's. MAT has neither.
  public var pixel = 0.0
  public var pixelFirstStage = 0.0

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    let weights = [("r1_gamma", r1Gamma), ("perceptual", perceptual), ("pixel", pixel), ("pixel_first_stage", pixelFirstStage)]
    for (key, weight) in weights { problems.require(weight >= 0 && weight <= 1e6, key, weight, "0 (none) to 1e6") }
    for (key, interval) in [("r1_interval", r1Interval), ("generator_interval", generatorInterval)] {
      problems.require((0...100_000).contains(interval), key, interval, "0 (never) to 100000")
    }
    problems.require(r1Gamma == 0 || r1Interval > 0, "r1_interval", r1Interval, "1 or more, unless r1_gamma is 0")
    problems.require((0...1).contains(styleMixing), "style_mixing", styleMixing, "0 to 1")
    problems.require((0...1).contains(truncation), "truncation", truncation, "0 to 1")
    problems.require(perceptual == 0 || !perceptualWeights.isEmpty, "perceptual_weights", "''",
                     "the file of VGG-19's weights; without one, perceptual: 0 leaves this loss out")
    return problems
  }
}

/// The moving average of the generator, which is what a user wants. Section `average`.
public struct GeneratorAverage: Codable, Sendable, Equatable, ValidatedConfig {
  /// After so many thousands of images a weight counts half.
  public var halfLifeKimg = 10.0

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(halfLifeKimg > 0 && halfLifeKimg <= 1e6, "half_life_kimg", halfLifeKimg, "above 0, at most 1e6")
    return problems
  }

  /// The share of the average that stays at a step.
  func decay(batchSize: Int) -> Double { exp2(-Double(batchSize) / (1000 * halfLifeKimg)) }
}

/// How a trained network is asked, in validation and prediction. Section `inference`.
public struct InpaintingInferenceSettings: Codable, Sendable, Equatable, ValidatedConfig {
  /// Pictures in a batch. Changes the speed, and the result by rounding at most.
  public var batchSize = 4
  /// Of all that is drawn.
  public var seed = 240
  /// `apus predict`: completions of each picture.
  public var completions = 1
  /// ψ: how far styles keep away from their running mean; 1: as they are.
  public var truncation = 1.0
  /// `apus predict`: whether pictures larger than the network's size are shrunk to it, and what fills their holes is enlarged: coarse, but
  /// of the scale that the network has learned.
  public var shrink = false
  /// Noise of the second stage's maps. `constant` is the network's own, and `random` where pictures have another size than the network's.
  public var noise = SynthesisNoise.constant
  /// `apus predict`: the folder of the masks, or the mask of a single picture; empty: beside the pictures.
  public var masks = ""
  /// `apus predict`: what a mask's name has behind the picture's.
  public var maskSuffix = "_mask"
  public var polarity = MaskPolarity.whiteIsKnown

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireBatchSize(batchSize)
    problems.require(seed >= 0, "seed", seed, "0 or more")
    problems.require((1...1000).contains(completions), "completions", completions, "1 to 1000")
    problems.require((0...2).contains(truncation), "truncation", truncation, "0 to 2")
    problems.require(!masks.isEmpty || !maskSuffix.isEmpty, "mask_suffix", "''", "something, where masks stand beside the pictures")
    return problems
  }
}
