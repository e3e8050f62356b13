import Base
import Data
import Models
import Networks
import Training

/// The config of semantic segmentation; its defaults are HRNetV2-W48 as the authors train it on Cityscapes, without its data.
public struct SegmentationConfig: OptimizedConfig, ValidatedConfig {
  public var task = TaskName.segmentation
  public var model = HRNetSegmentation.Config(.w48)
  public var initialize = Initialization()
  /// What the numbers of the label files mean.
  public var labels = LabelRules()
  /// What to learn from, and what to judge by.
  public var data = SegmentationData()
  public var validation = SegmentationData()
  public var augmentation = SegmentationAugmentation()
  /// Pictures that fill no batch at the end of an epoch are left out, so there is no smaller one.
  public var train = TrainSettings(batchSize: 12)
  public var loss = SegmentationLoss()
  public var optimizer = SegmentationConfig.publishedOptimizer
  public var schedule = Schedule(.polynomial)
  public var inference = SegmentationInferenceSettings()
  public var plan = Plan()

  public init() {}

  /// The weights of one network go through all stages.
  public static let fixedSections: Set = ["task", "model", "labels"]

  private static var publishedOptimizer: OptimizerConfig {
    var config = OptimizerConfig(.sgd, learningRate: 0.01, weightDecay: 5e-4)
    config.momentum = 0.9
    return config
  }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    let (classes, names) = (model.classes, labels.classes.count)
    problems.require(classes == 0 || names == 0 || names == classes, "model.classes", classes,
                     "0 (as many as labels.classes), or their number (\(names))")
    problems.require(classes <= LabelRules.mostClasses, "model.classes", classes, "at most \(LabelRules.mostClasses)")
    let count = classes > 0 ? classes : names
    problems.require(loss.classWeights.isEmpty || count == 0 || loss.classWeights.count == count, "loss.class_weights",
                     loss.classWeights.count, "one for each of the \(count) classes, or none")
    problems.require(loss.ignore == 255, "loss.ignore", loss.ignore, "255: labels.ignore says which numbers of the files do not count")
    let largest = augmentation.flipPairs.joined().max() ?? -1
    problems.require(count == 0 || largest < count, "augmentation.flip_pairs", largest, "classes, 0 to \(count - 1)")
    // Batch normalisation has no variance of one value per channel: of one image whose lowest resolution is one pixel.
    let stride = 4 << max(0, (model.backbone.widths.count - 1))
    func cells(_ side: Int) -> Int { (side + stride - 1) / stride }
    let values = train.batchSize * cells(augmentation.cropHeight) * cells(augmentation.cropWidth)
    let isBatch = model.backbone.norm == .batch && optimizer.freezeStatistics.isEmpty
    problems.require(!isBatch || values > 1, "train.batch_size", train.batchSize,
                     "2 or more, or a crop of more than \(stride) px: batch normalisation needs two values a channel")
    return problems
  }

  /// The names of the classes.
  var classNames: [String] { (0..<model.classes).map(labels.name(of:)) }

  var table: LabelTable { LabelTable(labels, classes: model.classes) }
}

/// The layout of a set of pictures with labels on the disk.
public enum SegmentationFormat: String, ConfigChoice {
  /// A folder of pictures and one of label files, by stems.
  case folders
  /// `leftImg8bit` and `gtFine` below one folder.
  case cityscapes
  /// A file of pairs: picture and label file.
  case list
  /// No data: validation is left out.
  case none

  /// The keys of `SegmentationData` that have no effect with this format.
  var unusedKeys: [String] {
    let used = switch self {
    case .folders: ["images", "labels", "label_suffix", "list"]
    case .cityscapes: ["root", "split"]
    case .list: ["root", "list"]
    case .none: [String]()
    }
    return ["root", "split", "images", "labels", "label_suffix", "list"].filter { !used.contains($0) }
  }
}

/// A set of pictures with labels.
public struct SegmentationData: Codable, Sendable, Equatable, ValidatedConfig, SelectiveConfig, LimitedData {
  public var format = SegmentationFormat.folders
  /// `cityscapes`: the folder above `leftImg8bit`; `list`: the folder that names are relative to.
  public var root = ""
  /// `cityscapes`: train, val or test.
  public var split = "train"
  /// `folders`: the folder of the pictures. Empty: no data.
  public var images = ""
  /// `folders`: that of the label files.
  public var labels = ""
  /// `folders`: what a label file's name has behind the picture's, such as `_mask`.
  public var labelSuffix = ""
  /// `folders`: a file of picture names, one a line, that count; empty: all. `list`: the file of pairs.
  public var list = ""
  /// For validation: at most so many pictures, spread evenly over the set; 0: all.
  public var limit = 0

  public init() {}

  public static let selector = "format"
  public var unusedKeys: [String] { format.unusedKeys }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireLimit(limit)
    switch format {
    case .folders: problems.require(images.isEmpty || !labels.isEmpty, "labels", "''", "the folder of the label files")
    case .cityscapes: problems.require(!root.isEmpty, "root", "''", "the folder above leftImg8bit")
    case .list: problems.require(!list.isEmpty, "list", "''", "the file of pairs")
    case .none: break
    }
    return problems
  }

  /// The set; nil if there is none.
  func open(_ table: LabelTable) throws -> SegmentationSet? {
    let files: SegmentationFiles? = switch format {
    case .folders:
      images.isEmpty ? nil : try .folders(images: images, labels: labels, labelSuffix: labelSuffix, list: list.isEmpty ? nil : list)
    case .cityscapes: try .cityscapes(root, split: split)
    case .list: try .list(list, root: root)
    case .none: nil
    }
    return files.map { SegmentationSet($0, table) }
  }
}

/// How a trained network is asked, in validation and prediction. Section `inference`.
public struct SegmentationInferenceSettings: Codable, Sendable, Equatable, ValidatedConfig {
  public enum Mode: String, ConfigChoice {
    /// The network sees the whole picture.
    case whole
    /// It sees parts that overlap.
    case sliding
  }

  /// The numbers of written label files.
  public enum Numbers: String, ConfigChoice {
    /// Those of the classes.
    case classes
    /// Those that the data set's files have for them, as benchmarks take.
    case files
  }

  public var mode = Mode.whole
  /// `sliding`: the size of a part, px; 0: that of the training crop.
  public var cropHeight = 0
  public var cropWidth = 0
  /// `sliding`: from one part to the next, as a share of its size.
  public var stride = 2.0 / 3
  /// The picture is seen at each of these scales.
  public var scales = [1.0]
  /// Whether it is seen mirrored, too.
  public var flip = false
  /// Pictures of one size, or parts of a picture, in a batch. Changes the speed, and the result by rounding at most.
  public var batchSize = 1
  /// Of the colours over the picture, 0 to 1.
  public var opacity = 0.55
  public var numbers = Numbers.classes

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    for (key, side) in [("crop_height", cropHeight), ("crop_width", cropWidth)] {
      problems.require(side == 0 || (8...16_384).contains(side), key, side, "0 (that of training), or 8 to 16384")
    }
    problems.require(stride > 0.05 && stride <= 1, "stride", stride, "above 0.05, at most 1")
    problems.require(!scales.isEmpty && scales.count <= 100 && scales.allSatisfy { (0.01...100).contains($0) }, "scales", scales.prefix(8),
                     "one or more, each 0.01 to 100")
    problems.requireBatchSize(batchSize)
    problems.require((0...1).contains(opacity), "opacity", opacity, "0 to 1")
    return problems
  }
}
