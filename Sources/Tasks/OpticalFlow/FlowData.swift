import Base
import Data
import Tensors
import Training

/// A set of image pairs with flow, or several of them mixed.
public struct FlowData: FlowSource, Codable, Equatable, ValidatedConfig, SelectiveConfig, LimitedData {
  public var format = FlowFormat.flyingChairs
  public var root = "datasets/FlyingChairs_release"
  public var split = FlyingChairs.Split.train
  public var pass = RenderPass.both
  public var scenes: [String] = []
  public var nonOccludedOnly = false
  /// For validation: at most so many samples, spread evenly over the set; 0: all.
  public var limit = 0
  /// Several sets, repeated and joined. If there are any, they replace the single one.
  public var mixture: [FlowMixtureEntry] = []

  public init(split: FlyingChairs.Split = .train) { self.split = split }

  public func problems() -> [ConfigProblem] {
    var problems = sourceProblems
    problems.requireLimit(limit)
    return problems
  }

  /// The data to judge by; `nil` if there is none.
  /// - Parameter section: where in the config this stands, for failures.
  func open(_ section: String) throws -> (any FlowDataset)? {
    try mixture.isEmpty ? openSet(section, readsOcclusion: true) : open(section, augmentation: .chairs)
  }

  /// The data, each set with its random changes; `nil` if there is none.
  /// - Parameter augmentation: for a single set; a mixture takes its crop only.
  func open(_ section: String, augmentation: FlowAugmentation) throws -> FlowMixture? {
    if mixture.isEmpty { return try openSet(section).map { FlowMixture([.init($0, augmentation: augmentation)]) } }
    let parts = try mixture.enumerated().map { index, entry in
      let place = "\(section).mixture.\(index)"
      guard let set = try entry.openSet(place) else {
        throw Failure(.usage, at: "\(place).format", "'none' cannot be mixed", remedy: "Leave the entry out.")
      }
      return FlowMixture.Part(set, repeats: entry.repeat, augmentation: entry.augmentation.cropped(as: augmentation))
    }
    let most = 100_000_000
    guard parts.reduce(0, { $0 + min($1.count, most + 1) }) <= most else {
      throw Failure(.usage, at: "\(section).mixture", "repeated as often as this, the sets have more than \(most) samples",
                    remedy: "Repeat less often.")
    }
    return FlowMixture(parts)
  }
}

/// One set of a mixture. What is not set is as the published stage of Sintel has it for this format.
public struct FlowMixtureEntry: FlowSource, ConfigElement, ConfigPreset, Equatable, ValidatedConfig, SelectiveConfig {
  public var format = FlowFormat.sintel
  public var root = ""
  public var split = FlyingChairs.Split.train
  public var pass = RenderPass.both
  public var scenes: [String] = []
  public var nonOccludedOnly = false
  /// The number of times that the set is repeated.
  public var `repeat` = 1
  /// The random changes of this set; the size of the crop is that of the section `augmentation`.
  public var augmentation = FlowAugmentation(.sintel)

  public init() {}

  public static func defaults(for section: ConfigSection) -> FlowMixtureEntry {
    var entry = FlowMixtureEntry()
    entry.augmentation = FlowAugmentation(section.text("format").flatMap(FlowFormat.named)?.mixturePreset ?? .sintel)
    return entry
  }

  public func problems() -> [ConfigProblem] {
    var problems = sourceProblems
    problems.require(format != .none, "format", format.configName, "a format with data")
    problems.require((1...1_000_000).contains(`repeat`), "repeat", `repeat`, "1 to 1000000")
    let preset = FlowAugmentation(augmentation.preset)
    let shared = "not to be set here: the crop of the section 'augmentation' is shared"
    problems.require(augmentation.cropHeight == preset.cropHeight, "augmentation.crop_height", augmentation.cropHeight, shared)
    problems.require(augmentation.cropWidth == preset.cropWidth, "augmentation.crop_width", augmentation.cropWidth, shared)
    return problems
  }
}

/// The layout of a set of image pairs with flow on the disk.
public enum FlowFormat: String, ConfigChoice {
  /// `data/NNNNN_img1.ppm`, `_img2.ppm`, `_flow.flo` and a split list.
  case flyingChairs
  /// FlyingThings3D, the full release.
  case flyingThings
  /// MPI-Sintel.
  case sintel
  /// KITTI-15.
  case kitti
  case hd1k
  /// A plain folder of images and flow files that belong together by name.
  case pairs
  /// No data: validation is left out.
  case none

  /// The keys of `FlowSource` that have no effect with this format.
  var unusedKeys: [String] {
    let used = switch self {
    case .flyingChairs: ["split"]
    case .flyingThings: ["split", "pass"]
    case .sintel: ["pass", "scenes"]
    case .kitti: ["non_occluded_only"]
    case .hd1k, .pairs, .none: [String]()
    }
    return ["split", "pass", "scenes", "non_occluded_only"].filter { !used.contains($0) }
  }

  /// The published settings for this format within a mixture.
  var mixturePreset: FlowAugmentation.Preset {
    switch self {
    case .flyingChairs, .pairs, .none: .chairs
    case .flyingThings, .sintel: .sintel
    case .kitti: .sintelKitti
    case .hd1k: .sintelHd1k
    }
  }
}

/// The settings that name one set on the disk.
public protocol FlowSource: Sendable {
  var format: FlowFormat { get }
  /// The folder, relative to where the command is run.
  var root: String { get }
  /// The part of FlyingChairs by its list; of FlyingThings3D `train` is TRAIN and `validation` is TEST. The other formats have truth
  /// for their training part only.
  var split: FlyingChairs.Split { get }
  /// The rendering pass of Sintel and FlyingThings3D whose frames are read.
  var pass: RenderPass { get }
  /// The scenes of Sintel that are read; none: all.
  var scenes: [String] { get }
  /// Whether KITTI's flow is read for pixels that both frames show only (`flow_noc`), or for all (`flow_occ`).
  var nonOccludedOnly: Bool { get }
}

extension FlowSource {
  public static var selector: String { "format" }
  public var unusedKeys: [String] { format.unusedKeys }

  var sourceProblems: [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(format == .none || !root.isEmpty, "root", root, "the path of a folder")
    return problems
  }

  /// The data set; `nil` if there is none.
  /// - Parameters:
  ///   - section: where in the config this stands, for failures.
  ///   - readsOcclusion: whether samples tell which pixels are occluded, where the set knows.
  func openSet(_ section: String, readsOcclusion: Bool = false) throws -> (any FlowDataset)? {
    do {
      return switch format {
      case .flyingChairs: try FlyingChairs(root: root, split: split)
      case .flyingThings: try FlyingThings(root: root, split: split == .train ? .train : .test, pass: pass)
      case .sintel: try MPISintel(root: root, pass: pass, scenes: scenes, readsOcclusion: readsOcclusion)
      case .kitti: try KITTI15(root: root, nonOccludedOnly: nonOccludedOnly, readsOcclusion: readsOcclusion)
      case .hd1k: try HD1K(root: root)
      case .pairs: try FlowPairs(root: root)
      case .none: nil
      }
    } catch let failure as Failure where failure.kind == .missingInput && failure.remedy.isEmpty {
      throw Failure(.missingInput, at: failure.place, failure.problem,
                    remedy: "'\(section).root' names it, relative to where apus is run: --set \(section).root=FOLDER. "
                      + "No data yet? apus synth flow")
    }
  }
}

extension FlowAugmentation {
  /// The same changes with the crop of others.
  func cropped(as other: FlowAugmentation) -> FlowAugmentation {
    var result = self
    (result.cropHeight, result.cropWidth, result.crop) = (other.cropHeight, other.cropWidth, other.crop)
    return result
  }
}
