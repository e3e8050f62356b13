import Base
import Data
import Models
import Networks
import Tensors
import Training
import Vision
import WeightFiles

/// Training of the affinity in one stage: binary cross-entropy of the pairs of some tracks.
public struct MatchingTraining: StageTraining {
  /// What a stage learns from and is judged by.
  public struct Sets: Sendable {
    let training: MatchingCases
    let validation: MatchingCases?
  }

  public static let trainMetrics: [MetricKind] = [
    .loss(), MetricKind("accuracy", unit: "%", "pairs on the right side of 0.5", better: .higher), .gradientNorm(),
  ]
  public static let evaluationMetrics = Matching.metrics

  public let model: MatchNetwork
  public let learners: [Learner]
  private let config: MatchingConfig
  private let validation: MatchingCases?
  private var batches: BatchStream<MatchingCases.Case>

  public static func model(_ config: MatchingConfig) -> MatchNetwork { Matching.model(config) }

  public static func open(_ stage: Stage<MatchingConfig>) throws -> Sets {
    let config = stage.config
    guard let training = try config.pairs.open(config.data, config) else {
      throw Failure(.usage, at: "\(stage.section)data.root", "'' leaves nothing to learn from",
                    remedy: "Name a folder of sequences in MOT layout, with detections and ground truth.")
    }
    return Sets(training: training, validation: try config.pairs.open(config.validation, config))
  }

  public static func stepsPerEpoch(_ sets: Sets, _ config: MatchingConfig) -> Int { order(of: sets.training, config).batchesPerEpoch }

  private static func order(of data: MatchingCases, _ config: MatchingConfig) -> BatchOrder {
    BatchOrder(count: data.count, batchSize: config.train.batchSize, seed: UInt64(config.plan.seed))
  }

  public init(_ stage: Stage<MatchingConfig>, _ sets: Sets, _ model: MatchNetwork, _ learners: [Learner]) {
    self.model = model
    self.learners = learners
    config = stage.config
    validation = sets.validation
    let data = sets.training
    batches = BatchStream(Self.order(of: data, config), workers: config.train.workers) { index, random in
      data.sample(at: index, &random)
    }
  }

  /// A batch whose tracks have no detection near them makes no update.
  public mutating func step(at step: Int) throws -> StepReport {
    let pairs = try Profiler.span("data") { try batches.batch(at: step).flatMap(\.pairs) }
    var report = StepReport(
      epoch: batches.epochs(after: step + 1), samples: config.train.batchSize, learningRates: learners[0].learningRates(at: step),
      dataSeconds: batches.secondsWaited, metrics: [:])
    guard !pairs.isEmpty else { return report }
    let logits = Profiler.span("forward") { model(Tensor(features: pairs.map(\.features))) }
    let loss = binaryCrossEntropy(logits, Tensor(pairs.map { $0.isMatch ? Float(1) : 0 }, shape: [pairs.count]))
    let update = try learners[0].update(loss, at: step)
    let right = zip(logits.floats, pairs).count { ($0 > 0) == $1.isMatch }
    report.metrics = ["loss": loss.item, "accuracy": 100 * Double(right) / Double(pairs.count), "grad_norm": update.norm]
    return report
  }

  public mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    try validation.map { try Matching.judge(model, config, on: $0, monitor) }
  }
}

/// Judges affinities: by the average precision of all pairs, and by the best detection of each track.
struct MatchingEvaluator: Evaluator {
  private var scores: [(score: Double, isMatch: Bool)] = []
  private var overlaps: [(score: Double, isMatch: Bool)] = []
  private var right = (network: 0, overlap: 0)
  private var decided = 0

  mutating func add(_ prediction: [Double], _ truth: MatchingCases.Case) {
    let matches = truth.pairs.map(\.isMatch)
    let ious = truth.pairs.map { $0.features.values[2] }
    scores += zip(prediction, matches).map { ($0, $1) }
    overlaps += zip(ious, matches).map { ($0, $1) }
    guard matches.contains(true), matches.count > 1 else { return }
    decided += 1
    if Self.isRight(prediction, matches) { right.network += 1 }
    if Self.isRight(ious, matches) { right.overlap += 1 }
  }

  /// Whether the match has the best score of all, alone.
  private static func isRight(_ scores: [Double], _ matches: [Bool]) -> Bool {
    let best = scores.max() ?? 0
    return zip(scores, matches).allSatisfy { ($0 == best) == $1 }
  }

  func scores(of prediction: [Double], _ truth: MatchingCases.Case) -> [SampleScore] {
    let matches = truth.pairs.map(\.isMatch)
    guard matches.contains(true), matches.count > 1 else { return [] }
    return [SampleScore("top1", Self.isRight(prediction, matches) ? 100 : 0)]
  }

  func result() throws -> Metrics {
    guard scores.contains(where: \.isMatch) else {
      throw Failure(.badData, at: "validation.root", "no detection belongs to a track", remedy: "Look at det/det.txt and gt/gt.txt.")
    }
    var metrics: Metrics = ["AP": 100 * Self.averagePrecision(scores), "overlap_AP": 100 * Self.averagePrecision(overlaps)]
    if decided > 0 {
      metrics["top1"] = 100 * Double(right.network) / Double(decided)
      metrics["overlap_top1"] = 100 * Double(right.overlap) / Double(decided)
    }
    metrics["pairs"] = Double(scores.count)
    return metrics
  }

  /// Area under precision over recall: the mean of the precision at each match; equal scores come in together.
  static func averagePrecision(_ pairs: [(score: Double, isMatch: Bool)]) -> Double {
    let sorted = pairs.sorted { $0.score > $1.score }
    let total = sorted.count(where: \.isMatch)
    guard total > 0 else { return 0 }
    var (seen, found, sum, start) = (0, 0, 0.0, 0)
    while start < sorted.count {
      let end = sorted[start...].firstIndex { $0.score != sorted[start].score } ?? sorted.count
      let matches = sorted[start..<end].count(where: \.isMatch)
      seen += end - start
      found += matches
      sum += Double(matches) * Double(found) / Double(seen)
      start = end
    }
    return sum / Double(total)
  }
}

extension Matching: EvaluationTask {
  public static let metrics = [
    MetricKind("AP", unit: "%", "average precision of pairs of a track and a detection", better: .higher),
    MetricKind("top1", unit: "%", "tracks whose best detection is theirs, of those with a choice", better: .higher),
    MetricKind("overlap_AP", unit: "%", "average precision by the IoU with the predicted box alone", better: .higher),
    MetricKind("overlap_top1", unit: "%", "the best detection by this IoU", better: .higher),
    MetricKind("pairs", "judged"),
  ]

  public static func evaluate(
    _ config: MatchingConfig, _ model: MatchNetwork, visuals: String?, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    if let visuals { throw Failure(.usage, at: "--save-visuals \(visuals)", "pairs have no pictures", remedy: "Leave it out.") }
    guard let cases = try config.pairs.open(config.validation, config) else {
      throw Failure(.usage, at: "validation.root", "'' leaves nothing to evaluate on", remedy: "Name a folder of sequences in MOT layout.")
    }
    return try judge(model, config, on: cases, monitor)
  }

  static func judge(
    _ model: MatchNetwork, _ config: MatchingConfig, on cases: MatchingCases, _ monitor: EvaluationMonitor
  ) throws -> EvaluationReport {
    let indices = config.validation.indices(of: cases.count)
    let pass = EvaluationPass<MatchingCases.Case>(
      cases, indices, batchSize: config.inference.batchSize, workers: config.train.workers, monitor: monitor)
    let scorer = MatchScorer(model)
    var evaluator = MatchingEvaluator()
    try pass.run(&evaluator) { _, samples in
      var scores = scorer.probabilities(samples.flatMap { $0.pairs.map(\.features) })[...]
      return samples.map { sample in
        defer { scores = scores.dropFirst(sample.pairs.count) }
        return Array(scores.prefix(sample.pairs.count))
      }
    }
    return EvaluationReport(metrics: try evaluator.result(), notes: ["\(indices.count) tracks at a moment, with \(config.noise.words)"])
  }
}
