import Base
import Data
import Drawing
import Models
import Tensors
import Training
import Vision
import WeightFiles

/// Settings of `apus predict`: the files of each pair, and the field that it starts from.
public struct FlowPrediction: Codable, Sendable, Equatable, ValidatedConfig {
  public enum Format: String, ConfigChoice {
    /// `NAME.flo` and a picture with the colour wheel, for a folder of frames or for pictures in a row.
    case flo
    /// `<pass>/<scene>/frame0001.flo`, ... for the test set of MPI-Sintel.
    case sintel
    /// `flow/000000_10.png`, ... for the test set of KITTI.
    case kitti
  }

  public var format = Format.flo
  /// Start each pair from the flow of the pair before, moved along itself; the first of a sequence starts at rest.
  public var warmStart = true
  /// Estimate the flow back too and write what it contradicts as `NAME_occlusion.png`, white: image 2 does not show it. Evaluation
  /// judges it where the data set knows the truth.
  public var occlusion = false
  /// Forward and backward flow agree if the square of their sum is below this share of the sum of their squares …
  public var occlusionRelative = 0.01
  /// … plus so many squared pixels.
  public var occlusionAbsolute = 0.5

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(occlusionRelative >= 0 && occlusionRelative.isFinite, "occlusion_relative", occlusionRelative, "0 or more")
    problems.require(occlusionAbsolute >= 0 && occlusionAbsolute.isFinite, "occlusion_absolute", occlusionAbsolute, "0 or more")
    problems.require(!occlusion || format == .flo, "occlusion", occlusion, "false with the formats of benchmarks, which hold no masks")
    return problems
  }

  var check: ForwardBackwardCheck { ForwardBackwardCheck(relative: Float(occlusionRelative), absolute: Float(occlusionAbsolute)) }

  /// The pairs behind what the user names.
  func sequences(_ source: [String]) throws -> [PairSequence] {
    if format == .flo { return try PairSequence.named(source) }
    guard source.count == 1 else {
      throw Failure(.usage, at: "--source", "\(source.count) paths, expected the one folder of a benchmark's test set")
    }
    return format == .sintel ? try MPISintel.testSequences(in: source[0]) : try KITTI15.testSequences(in: source[0])
  }

  /// The suffixes of a result's files.
  var suffixes: [String] {
    switch format {
    case .flo: [".flo", "_flow.png"] + (occlusion ? ["_occlusion.png"] : [])
    case .sintel: [".flo"]
    case .kitti: [".png"]
    }
  }

  /// A line for the user about the files in the folder.
  var explanation: String {
    switch format {
    case .flo: "NAME.flo (Middlebury format) and NAME_flow.png" + (occlusion ? ", NAME_occlusion.png" : "")
    case .sintel: "<pass>/<scene>/frame0001.flo, ..."
    case .kitti: "flow/000000_10.png, ..."
    }
  }
}

extension OpticalFlow: PredictionTask {
  public static let predictOptions = [
    TaskOption("format", key: "prediction.format", .value,
               help: "flo, or what a benchmark takes: sintel, kitti. The same as --set prediction.format."),
    TaskOption("warm-start", key: "prediction.warm_start", .switchable,
               help: "Start each pair of a sequence from the flow of the one before (the default), or at rest."),
    TaskOption("occlusion", key: "prediction.occlusion", .flag,
               help: "Also estimate the flow back, and write a mask of what image 2 does not show."),
  ]

  public static func predictor(_ config: OpticalFlowConfig, _ model: RAFT, source: [String]) throws -> FlowPredictor {
    if config.prediction.format == .flo, let problem = Typeface.problem { Warning.emit(problem) }
    return FlowPredictor(sequences: try config.prediction.sequences(source).map(\.pairs), estimator: FlowEstimator(model, config.inference),
                         config: config)
  }
}

extension PairSequence.Pair: OutputItem {
  public var inputs: [String] { [image1, image2] }
}

/// Estimates and writes the flow of one pair after the other.
public struct FlowPredictor: Predictor {
  /// All that the bits of a result depend on besides weights and frames.
  public struct Settings: Encodable {
    let model: RAFT.Config
    let prediction: FlowPrediction
    let iterations: Int
    let padding: String
  }

  public let sequences: [[PairSequence.Pair]]
  let estimator: FlowEstimator
  let config: OpticalFlowConfig
  /// The frame that two neighbouring pairs share.
  private var last: (path: String, image: Image)?

  init(sequences: [[PairSequence.Pair]], estimator: FlowEstimator, config: OpticalFlowConfig) {
    self.sequences = sequences
    self.estimator = estimator
    self.config = config
  }

  private var prediction: FlowPrediction { config.prediction }

  public var isChained: Bool { prediction.warmStart }
  public var suffixes: [String] { prediction.suffixes }
  public var noun: String { "flow fields" }
  public var explanation: String { prediction.explanation }
  public var settings: Settings {
    Settings(model: config.model, prediction: prediction, iterations: estimator.iterations, padding: estimator.padding.rawValue)
  }

  private static let coarseName = "coarse_flow"

  /// A pair hands its coarse flow over to the next one, which starts from it, moved along itself.
  public mutating func write(
    _ pair: PairSequence.Pair, from carry: Safetensors?, to place: String, _ memory: MemoryGuard
  ) throws -> Safetensors? {
    let shared = last?.path == pair.image1 ? last?.image : nil
    let first = try shared ?? image(pair.image1)
    let second = try image(pair.image2)
    guard second.height == first.height, second.width == first.width else {
      throw Failure(
        .badData, at: pair.image2,
        "this frame is \(second.width)x\(second.height), the one before \(first.width)x\(first.height); all must be of one size")
    }
    try memory.require(InputShape(samples: 1, height: first.height, width: first.width))
    let estimate = estimator(first, second, from: Self.field(carry)?.forwardInterpolated())
    switch prediction.format {
    case .flo:
      try FlowColorWheel.figure(of: estimate.flow).write(to: "\(place)_flow.png")
      if prediction.occlusion {
        let flags = prediction.check.occlusion(forward: estimate.flow, backward: estimator(second, first).flow)
        try Image(mask: flags, height: first.height, width: first.width).write(to: "\(place)_occlusion.png")
      }
      try estimate.flow.write(to: "\(place).flo")
    case .sintel: try estimate.flow.write(to: "\(place).flo")
    case .kitti: try estimate.flow.write(to: "\(place).png")
    }
    last = (pair.image2, second)
    let coarse = estimate.coarseFlow
    return Safetensors([.init(Self.coarseName, Tensor(coarse.vectors, shape: [coarse.height, coarse.width, 2]))])
  }

  private static func field(_ carry: Safetensors?) -> FlowField? {
    guard let tensor = carry?[coarseName]?.tensor, tensor.shape.count == 3, tensor.shape[2] == 2 else { return nil }
    return FlowField(height: tensor.shape[0], width: tensor.shape[1], vectors: tensor.floats)
  }

  private func image(_ path: String) throws -> Image { try Image(contentsOf: path).rgb() }
}
