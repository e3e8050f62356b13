import Base
import Foundation

/// The loop's own part of a checkpoint, `state.json`.
struct TrainerState: Codable, Equatable {
  /// The best score so far and the step it was reached at.
  struct Best: Codable, Equatable {
    var metric: String
    var value: Double
    var step: Int
    /// The stage it was reached in: scores of different stages are of different sets.
    var stage: String?
  }

  static let fileName = "state.json"
  static let currentVersion = 1

  var version = currentVersion
  /// Updates done.
  var step = 0
  var epoch = 0
  var seed: Int
  var best: Best?
  /// The stage that the last update belongs to, in a run with stages.
  var stage: String?
  /// The training rows' means in the making, so that a resumed run logs the very same numbers.
  var interval = MetricSums()

  init(seed: Int) { self.seed = seed }

  func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }

  /// - Throws: `Failure(.badData)` if the checkpoint holds no state of this format.
  init(_ checkpoint: Checkpoint) throws {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let bytes = checkpoint.files[TrainerState.fileName], let state = try? decoder.decode(TrainerState.self, from: Data(bytes)),
          state.version <= TrainerState.currentVersion, state.step == checkpoint.step else {
      throw Failure(.badData, at: "\(checkpoint.path)/\(TrainerState.fileName)",
                    "this is not the state of a training run at step \(checkpoint.step), in a format up to version "
                      + "\(TrainerState.currentVersion)")
    }
    self = state
  }
}

/// Sums over the steps of a log interval.
struct MetricSums: Codable, Equatable {
  private var names: [String] = []
  private var sums: [Double] = []
  private(set) var count = 0

  mutating func add(_ metrics: Metrics) {
    if count == 0 { (names, sums) = (metrics.names, metrics.map { _ in 0 }) }
    guard names == metrics.names else { fatalError("training: the step reported \(metrics.names), the one before \(names)") }
    for (index, metric) in metrics.enumerated() { sums[index] += metric.value }
    count += 1
  }

  var means: Metrics {
    var means = Metrics()
    for (name, sum) in zip(names, sums) { means[name] = sum / Double(count) }
    return means
  }
}
