import Base
import Data
import Training
import Vision

/// Multi-object tracking: detections, features and motion, affinity, association.
///
/// It puts together what other tasks learnt, and has nothing of its own to train.
public enum Tracking: AssembledTask {
  public typealias Config = TrackingConfig

  public static let advice = "apus track run tracks and apus evaluate judges; its parts are trained by configs of their own, "
    + "such as configs/tracking/appearance-demo.yaml."

  /// The metrics of `apus track evaluate` that tell trackers apart.
  static let judged = ["HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDsw", "FP", "FN", "Frag", "MT", "ML", "MOTP", "Rcll", "Prcn", "IDP", "IDR",
                       "GT_Dets", "Dets", "GT_IDs", "IDs", "frames"].compactMap { name in
    TrackingMetric.all().first { $0.kind.name == name }
  }

  public static let metrics = judged.map(\.kind)

  /// Those of MOTA and IDF1 are the metrics of the set: their samples have the weights of their denominators.
  public static let sampleMetrics = perSequence.map { metric in
    let kind = metric.kind
    return MetricKind("sequence_\(kind.name)", unit: kind.unit, "mean over sequences: \(kind.meaning)", better: kind.better)
  }

  private static let perSequence = judged.filter { ["HOTA", "DetA", "AssA", "IDsw", "FP", "FN", "Frag"].contains($0.kind.name) }

  /// The numbers of one sequence.
  private static func scores(_ metrics: TrackingMetrics) -> [SampleScore] {
    var scores = perSequence.map { SampleScore("sequence_\($0.kind.name)", $0.value(metrics)) }
    let identity = metrics.identity
    let sizes = 2 * identity.truePositives + identity.falsePositives + identity.falseNegatives
    let truths = Double(metrics.clear.truthCount)
    if truths > 0 { scores.append(SampleScore("MOTA", 100 * metrics.clear.mota, weight: truths)) }
    if sizes > 0 { scores.append(SampleScore("IDF1", 100 * identity.f1, weight: Double(sizes))) }
    return scores
  }

  public static func evaluate(_ config: TrackingConfig, results: String?, _ monitor: EvaluationMonitor) throws -> EvaluationReport {
    let data = config.validation
    let sequences = try data.open()
    if let results { try File.createFolder(results) }
    let parts = try TrackingParts(config)
    let inputs = try sequences.map(TrackingInput.init)
    if parts.looksAtPictures { for input in inputs { input.shortage.map(Warning.emit) } }
    let lengths = try inputs.map { try $0.length(try $0.listed(config.detector), looksAtPictures: parts.looksAtPictures) }
    let total = lengths.reduce(0, +)
    monitor.report(0, total)
    var tracker = TrackingScores.Tracker(name: config.kind.configName)
    var done = 0
    for (index, input) in inputs.enumerated() {
      let frames = try parts.tracks(of: input) { frame, _ in
        if monitor.isCancelled() { throw EvaluationCancelled() }
        monitor.report(done + frame, total)
      }
      done += lengths[index]
      if let results { try MOTFile.write(frames, to: Path.join(results, "\(input.name).txt")) }
      let benchmark = try data.benchmark.benchmark ?? sequences[index].benchmark()
      let comparison = try TrackingComparison(
        truth: sequences[index].truth(benchmark), result: frames, benchmark: benchmark, isPreprocessed: data.preprocessing, rule: data.rule)
      let metrics = TrackingMetrics(comparison, rule: data.rule)
      tracker.add(input.name, metrics)
      monitor.collect?(input.name, scores(metrics))
    }
    return report(tracker)
  }

  private static func report(_ tracker: TrackingScores.Tracker) -> EvaluationReport {
    var metrics = Metrics()
    for metric in judged { metrics[metric.kind.name] = metric.value(tracker.combined) }
    let shown = judged.prefix(9)
    var table = TextTable(["sequence"] + shown.map(\.kind.name), rightAligned: Set(1...shown.count))
    for row in tracker.rows { table.add([row.name] + shown.map { $0.text(row.metrics) }) }
    return EvaluationReport(metrics: metrics, table: table.text)
  }

  // MARK: Words

  public static let help = {
    var help = TaskHelp(title: "multi-object tracking")
    help.examples = [
      "apus track run configs/tracking/sort.yaml --source MOT17/train --out tracks/sort",
      "apus evaluate configs/tracking/sort.yaml --set validation.root=MOT17/train",
    ]
    help.evaluate = """
      Tracking: the tracker runs over the sequences below validation.root and is judged as apus track evaluate judges result files; the
      weights of its networks stand in the config. --results is a folder for the result files.

      Example:
        apus evaluate configs/tracking/sort.yaml --set validation.root=MOT17/train --samples sequences.csv
      """
    return help
  }()
}

extension TrackingData {
  /// The sequences.
  /// - Throws: `.usage` if none is named; `.missingInput` for what is not there.
  func open() throws -> [MOTSequence] {
    guard !root.isEmpty else {
      throw Failure(.usage, at: "validation.root", "'' leaves nothing to evaluate on",
                    remedy: "Name a folder of sequences with ground truth.")
    }
    let all = try MOTSequence.all(in: root, split: split)
    let known = Set(all.map(\.name))
    for name in sequences where !known.contains(name) {
      let near = name.nearest(among: Array(known)).map { " Did you mean '\($0)'?" } ?? ""
      throw Failure(.missingInput, at: root, "there is no sequence \(name) of validation.sequences.\(near)")
    }
    return sequences.isEmpty ? all : all.filter { sequences.contains($0.name) }
  }
}
