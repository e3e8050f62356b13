import Base
import Data
import Drawing
import Models
import Networks
import Tensors
import Training
import Vision
import WeightFiles

/// Training of label maps in one stage: cross-entropy of pixels, and one update along its gradient.
public struct SegmentationTraining: StageTraining {
  /// What a stage learns from and is judged by.
  public struct Sets: Sendable {
    let training: SegmentationSet
    let validation: SegmentationSet?
  }

  public static let trainMetrics = [
    .loss(), MetricKind("cross_entropy", "of the logits, without its weight", better: .lower),
    MetricKind("cross_entropy_aux", "of the auxiliary logits", better: .lower), .gradientNorm(),
  ]
  public static let evaluationMetrics = Segmentation.metrics

  public let model: HRNetSegmentation
  public let learners: [Learner]
  private let config: SegmentationConfig
  private let training: SegmentationSet
  private let validation: SegmentationSet?
  private let section: String
  private var batches: BatchStream<SegmentationInput>
  /// Samples in a row in whose crops no pixel counted.
  private var emptyCount = 0
  private var hasLabels = false

  public static func model(_ config: SegmentationConfig) -> HRNetSegmentation { Segmentation.model(config) }

  public static func open(_ stage: Stage<SegmentationConfig>) throws -> Sets {
    let config = stage.config
    let training = try trainingSet(stage)
    try training.requireNoMasks()
    if let absent = try training.absentClasses(), !absent.isEmpty {
      Warning.emit("\(stage.section)data: classes that never occur in the labels cannot be learned: "
        + absent.map(config.labels.name(of:)).joined(separator: ", "))
    }
    return Sets(training: training, validation: try config.validation.open(config.table))
  }

  static func trainingSet(_ stage: Stage<SegmentationConfig>) throws -> SegmentationSet {
    let config = stage.config
    guard let training = try config.data.open(config.table) else {
      throw Failure(.usage, at: "\(stage.section)data.\(config.data.format == .none ? "format" : "images")",
                    "there is no data to learn from", remedy: "Name the folders of pictures and of label files.")
    }
    return training
  }

  public static func stepsPerEpoch(_ sets: Sets, _ config: SegmentationConfig) -> Int {
    order(of: sets.training, config).batchesPerEpoch
  }

  /// The order of the training pictures.
  static func order(of data: SegmentationSet, _ config: SegmentationConfig) -> BatchOrder {
    BatchOrder(count: data.count, batchSize: config.train.batchSize, seed: UInt64(config.plan.seed))
  }

  /// A picture as the network takes it.
  static func element(
    of data: SegmentationSet, _ config: SegmentationConfig, at index: Int, random: inout Random,
    seen: AugmentationObserver<SegmentationSample> = { _, _ in }
  ) throws -> SegmentationInput {
    let sample = try data.sample(at: index)
    seen(.asRead) { sample }
    return config.augmentation(sample, random: &random, seen: seen)
  }

  public init(_ stage: Stage<SegmentationConfig>, _ sets: Sets, _ model: HRNetSegmentation, _ learners: [Learner]) {
    self.model = model
    self.learners = learners
    config = stage.config
    training = sets.training
    validation = sets.validation
    section = "\(stage.section)data"
    let data = sets.training
    batches = BatchStream(Self.order(of: data, config), workers: config.train.workers) { index, random in
      try Self.element(of: data, stage.config, at: index, random: &random)
    }
  }

  public mutating func step(at step: Int) throws -> StepReport {
    let batch = try Profiler.span("data") { try nextBatch(step) }
    let pass = Pass(.training, random: Random(seed: UInt64(config.plan.seed), stream: .dropout, sample: step))
    let report = Profiler.span("forward") {
      config.loss(model(batch.images, pass), batch.labels, size: batch.size, alignCorners: config.model.alignCorners)
    }
    var metrics: Metrics = [:]
    // A batch in which no pixel counts teaches nothing: no update, and no loss of 0 in the log. The statistics have seen its pictures.
    if report.total.isRecorded {
      let update = try learners[0].update(report.total, at: step)
      metrics["loss"] = report.total.item
      for (name, value) in report.terms { metrics[name] = value.item }
      metrics["grad_norm"] = update.norm
    }
    return StepReport(
      epoch: batches.epochs(after: step + 1), samples: config.train.batchSize, learningRates: learners[0].learningRates(at: step),
      dataSeconds: batches.secondsWaited, metrics: metrics)
  }

  /// - Throws: what reading throws; `.badData` if no picture of the set has a pixel that counts. That is looked up when as many as it holds
  ///   had none in a row, since a crop may miss them.
  private mutating func nextBatch(_ step: Int) throws -> SegmentationBatch {
    let inputs = try batches.batch(at: step)
    let hasSome = inputs.contains { $0.labels.values.contains { $0 != LabelMap.ignored } }
    emptyCount = hasSome ? 0 : emptyCount + inputs.count
    if emptyCount >= training.count, !hasLabels {
      hasLabels = try (0..<training.count).contains { try training.sample(at: $0).labels.values.contains { $0 != LabelMap.ignored } }
      guard hasLabels else {
        throw Failure(.badData, at: section, "all labels of the \(training.count) pictures are ignored: there is nothing to learn from",
                      remedy: "Check labels.ignore, labels.map and labels.others: apus data check CONFIG.")
      }
    }
    return SegmentationBatch(inputs)
  }

  public mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    guard let validation else { return nil }
    let shown = Set(config.validation.indices(of: validation.count).prefix(4))
    var pictures: [EvaluationReport.Picture] = []
    let score = try Segmentation.judge(model, config, on: validation, monitor) { index, sample, found in
      guard shown.contains(index) else { return }
      let figure = Segmentation.comparison(of: sample, found, config)
      pictures.append(.init(name: validation.name(of: index), png: try PNG.encode(figure.image())))
    }.score
    pictures.append(.init(name: "classes", png: try PNG.encode(Segmentation.classFigure(score, config).image())))
    return EvaluationReport(metrics: Segmentation.metrics(of: score), pictures: pictures)
  }
}
