import Base
import Foundation
import Training

/// The outcome of an experiment, finished or not: every job with its numbers, and the statistics over seeds and evaluation samples.
///
/// Stored as `results.json` in the folder of the experiment's runs, `work_dirs/experiments/<name>`; paths in it are relative to that
/// folder. Variants stand in the order of the spec. Seconds and messages depend on the machine; everything else on spec, data and program
/// alone.
public struct ExperimentResult: Codable, Sendable, Equatable {
  /// The name of the folder that holds the spec.
  public var name: String
  /// The question that the experiment is to answer, as the spec says it.
  public var question: String
  /// The command that makes it again: `apus ablate Experiments/<name>/spec.yaml`.
  public var command: String
  /// The name of the variant that the others are compared with.
  public var baseline: String
  /// The metrics of the tables, in their order.
  public var metrics: [Metric]
  public var budget: Budget
  public var variants: [Variant]
  /// The checksum of the baseline's data; nil before its first job.
  public var data: String?
  /// Remarks for below the tables: seeds that are missing, variants that are not compared and why.
  public var notes: [String]

  /// A metric of the tables.
  public struct Metric: Codable, Sendable, Equatable {
    public var name: String
    /// Empty for a plain number.
    public var unit: String
    public var meaning: String
    /// Nil for numbers that only describe.
    public var better: MetricKind.Direction?

    public init(name: String, unit: String, meaning: String, better: MetricKind.Direction?) {
      (self.name, self.unit, self.meaning, self.better) = (name, unit, meaning, better)
    }
  }

  /// The length of each job's training; one of the two is nil, and both are where there is none.
  public struct Budget: Codable, Sendable, Equatable {
    public var steps: Int?
    public var minutes: Double?

    public init(steps: Int? = nil, minutes: Double? = nil) { (self.steps, self.minutes) = (steps, minutes) }

    /// Whether nothing is trained.
    public var isEmpty: Bool { steps == nil && minutes == nil }
  }

  /// A config of the experiment with all its seeds.
  public struct Variant: Codable, Sendable, Equatable {
    public var name: String
    /// The words of the table's row; the name if the spec has none.
    public var label: String
    /// What the variant lays over the base config, as `key=value`, in the spec's order.
    public var overrides: [String]
    /// The paper's figures by metric, as the spec has them.
    public var paper: [Figure]
    public var seeds: [Seed]
    /// One for each metric of the experiment, in its order.
    public var summaries: [Summary]

    public init(name: String, label: String, overrides: [String], paper: [Figure], seeds: [Seed], summaries: [Summary] = []) {
      (self.name, self.label, self.overrides) = (name, label, overrides)
      (self.paper, self.seeds, self.summaries) = (paper, seeds, summaries)
    }
  }

  /// A figure of the paper, under the paper's own name of the quantity.
  public struct Figure: Codable, Sendable, Equatable {
    public var name: String
    public var value: String

    public init(name: String, value: String) { (self.name, self.value) = (name, value) }
  }

  /// The job of one variant and one seed.
  public struct Seed: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable { case finished, failed, missing }

    public var seed: Int
    public var status: Status
    /// The run folder, relative to `results.json`; it may not be there yet.
    public var run: String
    /// The run folder whose weights were judged, relative to `results.json`; nil: its own.
    public var weights: String?
    /// Updates of the weights that were judged.
    public var step: Int?
    /// Seconds of training and evaluation, all interruptions left out.
    public var seconds: Double?
    /// Every number of the evaluation that is finite.
    public var metrics: [String: Double]
    /// The table of the evaluation's samples, relative to `results.json`.
    public var samples: String?
    /// The checksum of the data that the job was run on.
    public var data: String?
    /// The error of a failed job.
    public var message: String?

    public init(seed: Int, status: Status, run: String, metrics: [String: Double] = [:]) {
      (self.seed, self.status, self.run, self.metrics) = (seed, status, run, metrics)
    }
  }

  /// A metric of one variant over its finished seeds.
  public struct Summary: Codable, Sendable, Equatable {
    public var metric: String
    /// Finished seeds that have the metric, and seeds in the spec.
    public var count: Int
    public var planned: Int
    /// Nil without a finished seed.
    public var mean: Double?
    /// The sample deviation (divisor n-1); nil for fewer than two seeds.
    public var deviation: Double?
    /// The mean minus that of the baseline; nil for the baseline, and where the two are not compared.
    public var difference: Double?
    /// The 95 % interval of the difference by the paired bootstrap over evaluation samples; nil where the samples have no such metric.
    public var interval: Interval?

    public init(metric: String, count: Int, planned: Int) { (self.metric, self.count, self.planned) = (metric, count, planned) }
  }

  /// A closed interval.
  public struct Interval: Codable, Sendable, Equatable {
    public var low: Double
    public var high: Double

    public init(low: Double, high: Double) { (self.low, self.high) = (low, high) }

    /// Whether the interval leaves out 0: the difference is beyond what the choice of samples explains.
    public var isBeyondZero: Bool { low > 0 || high < 0 }
  }

  public init(name: String, question: String, command: String, baseline: String, metrics: [Metric], budget: Budget) {
    (self.name, self.question, self.command, self.baseline) = (name, question, command, baseline)
    (self.metrics, self.budget, self.variants, self.notes) = (metrics, budget, [], [])
  }

  // MARK: What the variants say

  /// The words of a variant's row; its name if there is no such variant.
  func label(of name: String) -> String { variants.first { $0.name == name }?.label ?? name }

  /// The names of the paper's figures that any variant has, in the order of their first appearance.
  var paperFigures: [String] { variants.flatMap(\.paper).map(\.name).uniqued() }

  // MARK: The file

  /// The file's name in the folder of the experiment's runs.
  public static let fileName = "results.json"

  /// Reads `results.json`.
  /// - Parameter folder: the folder of the experiment's runs.
  /// - Throws: `.missingInput` if there is none, `.badData` if it is something else, `.inputOutput` if it cannot be read.
  public init(folder: String) throws {
    let path = Path.join(folder, Self.fileName)
    let bytes = try File.bytes(at: path)
    guard let result = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else {
      throw Failure(.badData, at: path, "these are not the results of an experiment", remedy: "apus ablate SPEC writes them anew.")
    }
    self = result
  }

  /// Writes `results.json` atomically.
  public func write(to folder: String) throws {
    try AtomicFile.write(Array(try JSONEncoder.ofFiles.encode(self)) + [UInt8(ascii: "\n")], to: Path.join(folder, Self.fileName))
  }
}
