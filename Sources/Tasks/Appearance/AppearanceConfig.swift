import Base
import Data
import Models
import Networks
import Training

/// The config of appearance networks; its defaults are DeepSORT's network and loss, without data.
public struct AppearanceConfig: OptimizedConfig, ValidatedConfig {
  public var task = TaskName.appearance
  public var model = AppearanceNetwork.Config()
  public var initialize = Initialization()
  /// What to learn from, and what to judge by.
  public var data = AppearanceData()
  public var validation = AppearanceData()
  public var augmentation = AppearanceAugmentation()
  public var train = AppearanceTrainSettings()
  public var loss = AppearanceLoss()
  public var optimizer = OptimizerConfig(.adam, learningRate: 1e-3, weightDecay: 1e-8)
  public var schedule = Schedule(.constant)
  public var inference = AppearanceInferenceSettings()
  public var plan = Plan()

  public init() {}

  /// The weights of one network, and what its loss learned of the identities, go through all stages.
  public static let fixedSections: Set = ["task", "model", "data", "loss"]

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    let crops = train.cropsPerIdentity
    problems.require(!loss.comparesCrops || crops >= 2, "train.crops_per_identity", crops,
                     "2 or more: loss.kind \(loss.kind.configName) compares crops of one identity")
    problems.require(!loss.comparesCrops || crops < 2 || train.batchSize >= 2 * crops, "train.batch_size", train.batchSize,
                     "\(2 * crops) or more: crops of two identities")
    problems.require(train.batchSize >= 2, "train.batch_size", train.batchSize, "2 or more: batch normalisation needs two values a channel")
    return problems
  }
}

/// The batches of training. Section `train`.
public struct AppearanceTrainSettings: Codable, Sendable, Equatable, ValidatedConfig {
  /// Crops in a batch.
  public var batchSize = 64
  /// Crops of each identity in a batch, which then has `batch_size / crops_per_identity` identities; 0: batches are drawn from all crops.
  public var cropsPerIdentity = 4
  /// Threads that read and augment; 0: the training thread itself. Changes the speed, never the result.
  public var workers = 1

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireBatchSize(batchSize)
    problems.requireWorkers(workers)
    let divides = cropsPerIdentity == 0 || (cropsPerIdentity > 0 && batchSize % cropsPerIdentity == 0)
    problems.require(divides, "crops_per_identity", cropsPerIdentity, "0 (any crops), or a divisor of batch_size (\(batchSize))")
    return problems
  }
}

/// How a trained network is asked. Section `inference`.
public struct AppearanceInferenceSettings: Codable, Sendable, Equatable, ValidatedConfig {
  public enum Format: String, ConfigChoice {
    /// An array of NumPy's.
    case npy
    case safetensors
  }

  /// Crops in a batch.
  public var batchSize = 64
  /// The files that `predict` writes.
  public var format = Format.npy
  /// Pictures of the gallery on a sheet of a query.
  public var shown = 6

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireBatchSize(batchSize)
    problems.require((1...50).contains(shown), "shown", shown, "1 to 50")
    return problems
  }
}

/// The layout of pictures of objects on the disk.
public enum AppearanceFormat: String, ConfigChoice {
  /// `bounding_box_train`, `query` and `bounding_box_test` of Market-1501.
  case market
  /// `bbox_train` and `bbox_test` of MARS.
  case mars
  /// A folder for each identity.
  case folders
  /// Boxes of the ground truth of a tracking benchmark.
  case mot
  /// No data: validation is left out.
  case none

  /// The keys of `AppearanceData` that have no effect with this format.
  var unusedKeys: [String] {
    let used = switch self {
    case .market, .folders: ["root", "min_crops"]
    case .mars: ["root", "min_crops", "per_tracklet"]
    case .mot: ["root", "min_crops", "per_tracklet", "min_visibility", "min_height", "every"]
    case .none: [String]()
    }
    return ["root", "min_crops", "per_tracklet", "min_visibility", "min_height", "every"].filter { !used.contains($0) }
  }
}

/// A set of pictures of objects that are known by name.
public struct AppearanceData: Codable, Sendable, Equatable, ValidatedConfig, SelectiveConfig, LimitedData {
  public var format = AppearanceFormat.market
  /// The folder of the set; with `mot` a sequence, or a folder of sequences. Empty: no data.
  public var root = ""
  /// Identities with fewer crops are left out of training.
  public var minCrops = 2
  /// `mars`, `mot`: at most so many crops of a tracklet, spread evenly over it; 0: all.
  public var perTracklet = 0
  /// `mot`: visible share of a box, at least.
  public var minVisibility = 0.5
  /// `mot`: height of a box, px, at least.
  public var minHeight = 32.0
  /// `mot`: one frame of so many.
  public var every = 1
  /// For validation: at most so many queries, spread evenly over the set; 0: all.
  public var limit = 0

  public init() {}

  public static let selector = "format"
  public var unusedKeys: [String] { format.unusedKeys }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.requireLimit(limit)
    problems.require((1...100_000).contains(minCrops), "min_crops", minCrops, "1 to 100000")
    problems.require((0...1_000_000).contains(perTracklet), "per_tracklet", perTracklet, "0 (all) to 1000000")
    problems.require((0...1).contains(minVisibility), "min_visibility", minVisibility, "0 to 1")
    problems.require(minHeight >= 1 && minHeight <= 10_000, "min_height", minHeight, "1 to 10000")
    problems.require((1...1_000_000).contains(every), "every", every, "1 to 1000000")
    return problems
  }

  var isEmpty: Bool { format == .none || root.isEmpty }

  /// - Parameter aspect: width by height of the network's input.
  private func part(_ part: IdentityPart, aspect: Double) throws -> IdentitySet {
    switch format {
    case .market: return try .market(root, part)
    case .mars: return try .mars(root, part).thinned(perTracklet: perTracklet)
    case .folders, .none: return try .folders(root)
    case .mot:
      var cropping = TruthCropping()
      (cropping.minVisibility, cropping.minHeight) = (minVisibility, minHeight)
      (cropping.every, cropping.aspect) = (every, aspect)
      return try .sequences(root, cropping).thinned(perTracklet: perTracklet)
    }
  }

  /// The training set; nil if there is none.
  func openTraining(_ model: AppearanceNetwork.Config) throws -> IdentitySet? {
    isEmpty ? nil : try part(.training, aspect: model.aspect).filtered(withAtLeast: minCrops)
  }

  /// Queries and gallery; nil if there are none. Sets without this division are judged by all pictures against all others.
  func openRetrieval(_ model: AppearanceNetwork.Config) throws -> RetrievalSet? {
    guard !isEmpty else { return nil }
    let query = try part(.query, aspect: model.aspect)
    return RetrievalSet(query: query, gallery: format == .market || format == .mars ? try part(.gallery, aspect: model.aspect) : nil)
  }
}

extension AppearanceNetwork.Config {
  /// Width by height of the input.
  var aspect: Double { Double(width) / Double(height) }
}
