import Base
import Drawing
import Foundation
import Training

/// The arguments of `apus evaluate`.
public struct EvaluationRequest: Sendable {
  public var config: ConfigRequest
  /// nil: none are named, as befits a task without a network of its own.
  public var weights: WeightSource?
  /// A folder for pictures of every sample; nil: none.
  public var visuals: String?
  /// A file for what the network says about every sample, or a folder where a sample has a file of its own; nil: none.
  public var results: String?
  /// A file for the numbers of every sample; nil: none.
  public var samples: String?
  /// One JSON object instead of a table.
  public var isJSON = false

  public init(config: ConfigRequest, weights: WeightSource?) {
    self.config = config
    self.weights = weights
  }
}

extension ConfiguredTask {
  /// Judges weights, or what is made of several, on the validation set of a config.
  /// - Returns: the text that `apus evaluate` prints.
  /// - Throws: `.usage` if the task has no evaluation, and what reading and judging throw.
  public static func evaluate(_ request: EvaluationRequest, monitor: EvaluationMonitor = .init()) throws -> String {
    if let task = Self.self as? any AssembledTask.Type { return try task.judgeParts(request, monitor) }
    guard let task = Self.self as? any EvaluationTask.Type else {
      throw Failure(.usage, at: request.config.path, "the task of this config has no validation set to evaluate on")
    }
    return try task.judge(request, monitor)
  }

  /// The metrics of an evaluation, and those that the numbers of single samples give besides; none of a task without evaluation.
  public static var metricLists: (evaluated: [MetricKind], sampled: [MetricKind]) {
    if let task = Self.self as? any AssembledTask.Type { return (task.metrics, task.sampleMetrics) }
    return (Self.self as? any EvaluationTask.Type).map { ($0.metrics, $0.sampleMetrics) } ?? ([], [])
  }
}

extension ResultsTask {
  fileprivate static func judgeAndWrite(
    _ file: String, _ config: Any, _ network: Any, _ request: EvaluationRequest, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    guard let config = config as? Config, let network = network as? Model else { stop("ResultsTask: config or network of another task") }
    return try evaluate(config, network, visuals: request.visuals, results: file, monitor)
  }
}

extension EvaluationTask {
  private static func withResults(
    _ file: String, _ config: Config, _ network: Model, _ request: EvaluationRequest, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    guard let task = Self.self as? any ResultsTask.Type else {
      throw Failure(.usage, at: "--results", "the task of this config has no format for the results of an evaluation",
                    remedy: "apus predict writes the results of this task.")
    }
    return try task.judgeAndWrite(file, config, network, request, monitor)
  }

  fileprivate static func judge(_ request: EvaluationRequest, _ monitor: EvaluationMonitor) throws -> String {
    guard let weights = request.weights else {
      throw Failure(.usage, at: "--weights", "the network of \(request.config.path) has no weights",
                    remedy: "Give --weights: a .safetensors or .pth file, a checkpoint or a run folder.")
    }
    let loaded = try load(request.config)
    let config = loaded.value
    try request.requireApart(from: loaded.resolvedYAML)
    let network = model(config)
    try weights.load(into: network, title: modelTitle(config), part: TaskTraining.weightsPart)
    if request.visuals != nil, let problem = Typeface.problem { Console().warning(problem) }
    var table = SampleTable()
    var monitor = monitor
    if request.samples != nil { monitor.collect = { table.add($0, $1) } }
    var report = try request.results.map { try withResults($0, config, network, request, monitor) }
      ?? evaluate(config, network, visuals: request.visuals, monitor)
    if let file = request.samples { try report.add(table, sampleMetrics, writtenTo: file, request.config.path) }
    for warning in report.warnings { Console().warning(warning) }
    return report.text(Self.metrics, isJSON: request.isJSON)
  }
}

extension AssembledTask {
  fileprivate static func judgeParts(_ request: EvaluationRequest, _ monitor: EvaluationMonitor) throws -> String {
    let place = request.config.path
    if let weights = request.weights {
      throw Failure(.usage, at: "--weights \(weights.path)", "the weights of its parts stand in \(place)", remedy: "Leave --weights out.")
    }
    if let visuals = request.visuals {
      throw Failure(.usage, at: "--save-visuals \(visuals)", "an evaluation of this task draws no pictures", remedy: advice)
    }
    let loaded = try load(request.config)
    try request.requireApart(from: loaded.resolvedYAML)
    var table = SampleTable()
    var monitor = monitor
    if request.samples != nil { monitor.collect = { table.add($0, $1) } }
    var report = try evaluate(loaded.value, results: request.results, monitor)
    if let file = request.samples { try report.add(table, sampleMetrics, writtenTo: file, place) }
    for warning in report.warnings { Console().warning(warning) }
    return report.text(metrics, isJSON: request.isJSON)
  }
}

extension EvaluationRequest {
  /// - Throws: `.usage` if something is to be written among the data of a config.
  fileprivate func requireApart(from resolvedYAML: String) throws {
    for (option, path) in [("--save-visuals", visuals), ("--results", results), ("--samples", samples)] {
      if let path { try DataPlaces(of: resolvedYAML).requireApart(path, option: option) }
    }
  }
}

extension EvaluationReport {
  /// Writes the numbers of the samples, and takes over what only they give.
  fileprivate mutating func add(_ table: SampleTable, _ kinds: [MetricKind], writtenTo file: String, _ config: String) throws {
    guard !table.metrics.isEmpty else {
      throw Failure(.usage, at: "--samples", "no sample of \(config) has numbers of its own: the task gives none, or nothing can be judged")
    }
    try AtomicFile.write(table.csv, to: file)
    for kind in kinds { if let value = table.value(of: kind.name) { details[kind.name] = value } }
  }

  /// The report as a command prints it: notes and tables, or one JSON object of all numbers.
  func text(_ kinds: [MetricKind], isJSON: Bool) -> String {
    guard !isJSON else {
      let numbers = (Array(metrics) + Array(details)).map { "\"\($0.name)\": \($0.value.isFinite ? "\($0.value)" : "null")" }
      return "{" + numbers.joined(separator: ", ") + "}\n"
    }
    var table = TextTable(["metric", "value", "meaning"], rightAligned: [1])
    for metric in metrics { table.add([metric.name, String(format: "%.4f", metric.value), kinds[metric.name]?.description ?? ""]) }
    return notes.map { $0 + "\n" }.joined() + table.text + (self.table.isEmpty ? "" : "\n" + self.table)
  }
}
