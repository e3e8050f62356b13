import Base
import Data
import Models
import Networks
import Training

/// The config of detection; its defaults are DETR-R50 on COCO as the authors train it.
public struct DetectionConfig: OptimizedConfig, ValidatedConfig {
  public var task = TaskName.detection
  public var model = DETR.Config(.resnet50)
  public var initialize = Initialization()
  /// What to learn from, and what to judge by.
  public var data = DetectionData("train2017", annotations: "instances_train2017.json")
  public var validation = DetectionData("val2017", annotations: "instances_val2017.json")
  public var augmentation = DetectionAugmentation()
  public var train = DetectionTrainSettings()
  public var loss = SetLoss()
  public var optimizer = DetectionConfig.publishedOptimizer
  public var schedule = Schedule(.step)
  public var inference = DetectionInferenceSettings()
  public var plan = Plan()

  public init() { schedule.stepSize = 11_000_000 }

  /// The weights of one network go through all stages.
  public static let fixedSections: Set = ["task", "model", "data.category_ids", "data.category_names"]

  /// AdamW, a tenth of the rate for the backbone, and its stem and first stage frozen.
  private static var publishedOptimizer: OptimizerConfig {
    var config = OptimizerConfig(.adamw, learningRate: 1e-4, weightDecay: 1e-4, clipNorm: 0.1)
    config.groups = [ParameterGroup("*backbone.*", name: "backbone", lrMult: 0.1)]
    config.freeze = ["*backbone.0.body.conv1.*", "*backbone.0.body.layer1.*"]
    return config
  }

  public func problems() -> [ConfigProblem] {
    var problems = model.problems().map { ConfigProblem("model.\($0.key)", $0.value, allowed: $0.allowed) }
    problems.require(data.categoryIds.isEmpty || data.categoryIds.count == model.classes, "model.classes", model.classes,
                     "0 (those of the data), or the number of data.category_ids (\(data.categoryIds.count))")
    problems.require(data.categoryNames.isEmpty || data.categoryNames.count == data.categoryIds.count, "data.category_names",
                     data.categoryNames.count, "one for each of data.category_ids")
    return problems
  }
}

/// A set of images with objects in COCO's format.
public struct DetectionData: Codable, Sendable, Equatable, ValidatedConfig, LimitedData {
  /// A JSON file of COCO instances; of panoptic annotations with `panoptic_masks`. Empty: no data.
  public var annotations = ""
  /// The folder of the images.
  public var images = ""
  /// The folder of the panoptic PNG files; empty: the annotations are instances.
  public var panopticMasks = ""
  /// The category id of each class. None: taken from the training annotations with `model.classes: 0`; otherwise ids are class indices, as
  /// published weights have them.
  public var categoryIds: [Int] = []
  /// Their names, for pictures and tables.
  public var categoryNames: [String] = []
  /// For validation: at most so many images, spread evenly over the set; 0: all.
  public var limit = 0

  public init() {}

  init(_ folder: String, annotations: String) {
    self.annotations = "datasets/coco/annotations/\(annotations)"
    images = "datasets/coco/\(folder)"
  }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireLimit(limit)
    problems.require(annotations.isEmpty || !images.isEmpty, "images", "''", "the folder of the images")
    problems.require(categoryIds == Array(Set(categoryIds)).sorted(), "category_ids", categoryIds.prefix(8), "ascending ids, each once")
    return problems
  }

  /// The set; nil if there is none.
  func open(_ config: DetectionConfig) throws -> COCODetection? {
    annotations.isEmpty ? nil
      : try COCODetection(
        annotations, images: images, maps: panopticMasks.isEmpty ? nil : panopticMasks, classes: config.categories,
        readsMasks: config.model.masks)
  }
}

/// A training step. Section `train`.
public struct DetectionTrainSettings: Codable, Sendable, Equatable, ValidatedConfig {
  /// Images in a batch.
  public var batchSize = 2
  /// Whether images of similar shape share batches, so that less is padded: seven classes of width to height, each a third of an octave.
  public var groupByShape = false
  /// Threads that read and augment; 0: the training thread itself. Changes the speed, never the result.
  public var workers = 1

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireBatchSize(batchSize)
    problems.requireWorkers(workers)
    return problems
  }
}

/// How a trained network is asked, in validation and prediction. Section `inference`.
public struct DetectionInferenceSettings: Codable, Sendable, Equatable, ValidatedConfig {
  /// Images in a batch. Those of different sizes are padded to one, which changes results a little: published figures are for 2 (DC5: 1).
  public var batchSize = 2
  /// The least score of an object that is drawn and counted; result files hold all.
  public var threshold = 0.7

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireBatchSize(batchSize)
    problems.require((0...1).contains(threshold), "threshold", threshold, "0 to 1")
    return problems
  }
}

extension DETR.Config {
  /// Values that are out of range or contradict each other; keys are relative to the model's section.
  func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((0...1024).contains(backbone.width), "backbone.width", backbone.width, "1 to 1024, or 0: the variant's")
    problems.require(backbone.variant.isResidual || backbone.stages.isEmpty, "backbone.stages", backbone.stages, "none with an HRNet")
    problems.require(backbone.variant.isResidual || !backbone.dilation, "backbone.dilation", backbone.dilation, "false with an HRNet")
    let areStages = backbone.stages.isEmpty || (backbone.stages.count == 4 && backbone.stages.allSatisfy { (1...1000).contains($0) })
    problems.require(areStages, "backbone.stages", backbone.stages, "the blocks of four stages, or none: the variant's")
    problems.require((4...65_536).contains(hidden) && hidden % 4 == 0, "hidden", hidden, "a multiple of 4, 4 to 65536")
    problems.require((1...1024).contains(heads) && hidden % max(heads, 1) == 0, "heads", heads, "a divisor of hidden (\(hidden))")
    problems.require((0...1_048_576).contains(feedForward), "feed_forward", feedForward, "0 (none) to 1048576")
    problems.require((0...100).contains(encoderLayers), "encoder_layers", encoderLayers, "0 to 100")
    problems.require((1...100).contains(decoderLayers), "decoder_layers", decoderLayers, "1 to 100")
    problems.require((0..<1).contains(dropout), "dropout", dropout, "0 or more, below 1")
    problems.require((1...100_000).contains(queries), "queries", queries, "1 to 100000")
    problems.require((0...100_000).contains(classes), "classes", classes, "1 to 100000, or 0: those of the data")
    problems.require(!masks || (hidden % 128 == 0 && (hidden + heads) % 8 == 0), "hidden", hidden,
                     "with masks a multiple of 128, and with heads a multiple of 8")
    return problems
  }
}

extension SetLoss: ValidatedConfig {
  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    let weights = [("ce", ce), ("bbox", bbox), ("giou", giou), ("mask", mask), ("dice", dice), ("matching.cost_class", matching.costClass),
                   ("matching.cost_bbox", matching.costBbox), ("matching.cost_giou", matching.costGiou)]
    for (key, value) in weights { problems.require((0...1e6).contains(value), key, value, "0 to 1000000") }
    problems.require(eosCoef > 0 && eosCoef <= 1, "eos_coef", eosCoef, "above 0, at most 1")
    return problems
  }
}
