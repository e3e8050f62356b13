import Base
import Data
import Drawing
import Foundation
import Models
import Tensors
import Training
import Vision

/// What `apus predict` writes for each pair, and what it starts from.
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
  /// Estimate the flow back too and write what it contradicts as `NAME_occlusion.png`, white: image 2 does not show it. Evaluation judges it
  /// where the data set knows the truth.
  public var occlusion = false
  /// Flow and flow back agree if what is left of their sum, squared, is below this share of their squares …
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

  /// What a result's name is followed by, one for each of its files.
  var suffixes: [String] {
    switch format {
    case .flo: [".flo", "_flow.png"] + (occlusion ? ["_occlusion.png"] : [])
    case .sintel: [".flo"]
    case .kitti: [".png"]
    }
  }

  /// What stands in the folder, for the user.
  var explanation: String {
    switch format {
    case .flo: "NAME.flo (Middlebury format) and NAME_flow.png" + (occlusion ? ", NAME_occlusion.png" : "")
    case .sintel: "<pass>/<scene>/frame0001.flo, ..."
    case .kitti: "flow/000000_10.png, ..."
    }
  }
}

extension OpticalFlow {
  /// Flow for every pair of the source. A run that was stopped goes on where it was: what is complete stays, and the rest gets the same
  /// bits as in one go.
  public static func predict(
    _ config: OpticalFlowConfig, weights: String, source: [String], out: String, progress: (Int, Int) -> Void
  ) throws -> [String] {
    let sequences = try config.prediction.sequences(source)
    let estimator = try estimator(config, weights)
    try File.createFolder(out)
    let record = try PredictionRecord(folder: out, settings: settings(config, weights), pairs: sequences.flatMap(\.pairs))
    var writer = FlowWriter(estimator: estimator, prediction: config.prediction, out: out, record: record)
    for sequence in sequences { try writer.run(sequence, progress) }
    let kept = writer.keptCount == 0 ? [] : ["\(writer.keptCount) of them were there already"]
    return ["\(writer.pairCount) flow fields in \(out): \(config.prediction.explanation)"] + kept
  }

  /// All that the bits of a result depend on besides the frames.
  private static func settings(_ config: OpticalFlowConfig, _ weights: String) throws -> [UInt8] {
    struct Settings: Encodable {
      let model: RAFT.Config, prediction: FlowPrediction
      let iterations: Int, padding: String, products: String, weights: UInt32
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let file = try WeightFile.open(weights)
    return Array(try encoder.encode(Settings(
      model: config.model, prediction: config.prediction, iterations: config.learning.validationIterations,
      padding: config.learning.padding.rawValue, products: MatmulPrecision.description,
      weights: CRC32C.of(file.bytes ?? File.bytes(at: file.path)))))
  }
}

/// Estimates and writes the flow of one sequence after the other.
private struct FlowWriter {
  let estimator: FlowEstimator
  let prediction: FlowPrediction
  let out: String
  private var record: PredictionRecord
  /// Pairs that are done with, and those of them that were found complete.
  private(set) var pairCount = 0, keptCount = 0
  /// The frame that two neighbouring pairs share.
  private var last: (path: String, image: Image)?

  init(estimator: FlowEstimator, prediction: FlowPrediction, out: String, record: PredictionRecord) {
    (self.estimator, self.prediction, self.out, self.record) = (estimator, prediction, out, record)
  }

  /// Whatever follows a missing result is estimated again, from the last field that is still known or else from the first pair on.
  mutating func run(_ sequence: PairSequence, _ progress: (Int, Int) -> Void) throws {
    let pairs = sequence.pairs, offset = pairCount
    let isComplete = pairs.indices.map { offset + $0 < record.doneCount && hasFiles(pairs[$0]) }
    var start = isComplete.firstIndex(of: false) ?? pairs.count, coarseFlow: FlowField?
    if prediction.warmStart, start > 0, start < pairs.count {
      coarseFlow = record.doneCount == offset + start ? record.coarseFlow : nil
      if coarseFlow == nil { start = 0 }
    }
    for (index, pair) in pairs.enumerated() {
      let isKept = prediction.warmStart ? index < start : isComplete[index]
      if isKept {
        keptCount += 1
      } else {
        if pairCount == keptCount { progress(pairCount, record.pairs.count) }  // only now the clock starts
        let field = try write(pair, from: prediction.warmStart ? coarseFlow?.forwardInterpolated() : nil)
        if record.doneCount == offset + index { try record.append(coarseFlow: field) }
        coarseFlow = field
        progress(pairCount + 1, record.pairs.count)
      }
      pairCount += 1
    }
  }

  private func hasFiles(_ pair: PairSequence.Pair) -> Bool {
    prediction.suffixes.allSatisfy { FileManager.default.fileExists(atPath: "\(out)/\(pair.result)\($0)") }
  }

  /// Writes what belongs to one pair; returns its coarse flow.
  private mutating func write(_ pair: PairSequence.Pair, from start: FlowField?) throws -> FlowField {
    let shared = last?.path == pair.image1 ? last?.image : nil
    let first = try shared ?? image(pair.image1), second = try image(pair.image2)
    guard second.height == first.height, second.width == first.width else {
      throw Failure(
        .badData, at: pair.image2,
        "this frame is \(second.width)x\(second.height), the one before \(first.width)x\(first.height); all must be of one size")
    }
    let estimate = estimator(first, second, from: start), place = "\(out)/\(pair.result)"
    if pair.result.contains("/") { try File.createFolder((place as NSString).deletingLastPathComponent) }
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
    return estimate.coarseFlow
  }

  private func image(_ path: String) throws -> Image { try Image(contentsOf: path).rgb() }
}
