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
  static let currentVersion = 2
  /// More updates than any run makes: a larger count is damage, and must not overflow later.
  static let mostSteps = 1 << 53

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

  /// The facts behind the products of the last updates; absent in checkpoints of older versions.
  var products: ProductFacts?

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
          (1...TrainerState.currentVersion).contains(state.version), state.step == checkpoint.step, state.isSound else {
      throw Failure(.badData, at: "\(checkpoint.path)/\(TrainerState.fileName)",
                    "this is not the state of a training run at step \(checkpoint.step), in a format up to version "
                      + "\(TrainerState.currentVersion)")
    }
    self = state
    version = TrainerState.currentVersion
  }

  /// True if all counts are in the range that a run can reach.
  private var isSound: Bool {
    let steps = 0...TrainerState.mostSteps
    return steps.contains(step) && steps.contains(epoch) && seed >= 0 && (best.map { (1...max(step, 1)).contains($0.step) } ?? true)
  }

  /// - Throws: `Failure(.badData)` if the log interval holds metrics that the recipe does not know.
  func requireMetrics(of kinds: [MetricKind], _ checkpoint: Checkpoint) throws {
    let unknown = interval.names.filter { kinds[$0] == nil }
    guard unknown.isEmpty else {
      throw Failure(.badData, at: "\(checkpoint.path)/\(TrainerState.fileName)",
                    "the log interval holds metrics that this training does not have: \(unknown.prefix(5).joined(separator: ", "))",
                    remedy: "It was written by another version or with other losses. To start from these weights: --load-from.")
    }
  }
}

/// Sums over the steps of a log interval. A metric that some steps lack is averaged over those that had it.
struct MetricSums: Codable, Equatable {
  private(set) var names: [String] = []
  private var sums: [Double] = []
  /// The number of steps that had each metric.
  private var counts: [Int] = []
  /// Steps in the interval so far.
  private(set) var count = 0

  init() {}

  private enum CodingKeys: CodingKey { case names, sums, counts, count }

  /// - Throws: if the lists do not belong together.
  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    names = try values.decode([String].self, forKey: .names)
    sums = try values.decode([Double].self, forKey: .sums)
    count = try values.decode(Int.self, forKey: .count)
    // Version 1 had every metric in every step.
    counts = try values.decodeIfPresent([Int].self, forKey: .counts) ?? names.map { [count] _ in count }
    let isSound = sums.count == names.count && counts.count == names.count && (0...TrainerState.mostSteps).contains(count)
      && Set(names).count == names.count && counts.allSatisfy { (0...count).contains($0) }
    guard isSound else {
      throw DecodingError.dataCorruptedError(forKey: .names, in: values, debugDescription: "sums and counts do not fit the names")
    }
  }

  mutating func add(_ metrics: Metrics) {
    for metric in metrics {
      if let index = names.firstIndex(of: metric.name) {
        sums[index] += metric.value
        counts[index] += 1
      } else {
        names.append(metric.name)
        sums.append(metric.value)
        counts.append(1)
      }
    }
    count += 1
  }

  /// The means, in the order of the recipe's metrics.
  func means(of kinds: [MetricKind]) -> Metrics {
    var means = Metrics()
    for kind in kinds {
      guard let index = names.firstIndex(of: kind.name), counts[index] > 0 else { continue }
      means[kind.name] = sums[index] / Double(counts[index])
    }
    return means
  }
}
