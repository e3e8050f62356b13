import Base
import Data
import Drawing
import Models
import Networks
import Tensors
import Training
import Vision
import WeightFiles

/// Training of heatmaps in one stage: their error, and one update along its gradient.
public struct PoseTraining: StageTraining {
  /// What a stage learns from and is judged by.
  public struct Sets: Sendable {
    let training: PoseSet
    let validation: PoseSet?
  }

  public static let trainMetrics: [MetricKind] = [
    .loss(), MetricKind("accuracy", "keypoints near their targets in the heatmaps", better: .higher), .gradientNorm(),
  ]
  public static let evaluationMetrics = Pose.metrics

  public let model: HRNetPose
  public let learners: [Learner]
  private let config: PoseConfig
  private let validation: PoseSet?
  private var batches: BatchStream<PoseElement>

  public static func model(_ config: PoseConfig) -> HRNetPose { Pose.model(config) }

  public static func open(_ stage: Stage<PoseConfig>) throws -> Sets {
    let training = try trainingSet(stage)
    let validation = try stage.config.validation.open(stage.config)
    for note in training.notes + (validation?.notes ?? []) where note.hasPrefix("left out") { Warning.emit(note) }
    return Sets(training: training, validation: validation)
  }

  static func trainingSet(_ stage: Stage<PoseConfig>) throws -> PoseSet {
    guard let training = try stage.config.data.open(stage.config) else {
      throw Failure(.usage, at: "\(stage.section)data.annotations", "'' leaves nothing to learn from",
                    remedy: "Name a file of COCO keypoints.")
    }
    return training
  }

  public static func stepsPerEpoch(_ sets: Sets, _ config: PoseConfig) -> Int {
    order(of: sets.training, config).batchesPerEpoch
  }

  /// The order of the training bodies.
  static func order(of data: PoseSet, _ config: PoseConfig) -> BatchOrder {
    BatchOrder(count: data.count, batchSize: config.train.batchSize, seed: UInt64(config.plan.seed))
  }

  /// A body as the network takes it.
  static func element(
    of data: PoseSet, _ config: PoseConfig, at index: Int, random: inout Random, seen: AugmentationObserver<PoseView> = { _, _ in }
  ) throws -> PoseElement {
    let example = try data.sample(at: index)
    let body = example.body
    seen(.asRead) { PoseView(image: example.image, crop: body.crop, keypoints: body.keypoints) }
    let sample = config.augmentation(example.image, body.crop, body.keypoints, data.skeleton, config.crop, random: &random, seen: seen)
    return PoseElement(sample, config.crop)
  }

  public init(_ stage: Stage<PoseConfig>, _ sets: Sets, _ model: HRNetPose, _ learners: [Learner]) {
    self.model = model
    self.learners = learners
    config = stage.config
    validation = sets.validation
    let data = sets.training
    batches = BatchStream(Self.order(of: data, config), workers: config.train.workers) { index, random in
      try Self.element(of: data, stage.config, at: index, random: &random)
    }
  }

  public mutating func step(at step: Int) throws -> StepReport {
    let batch = try Profiler.span("data") { PoseBatch(try batches.batch(at: step), config.crop) }
    let pass = Pass(.training, random: Random(seed: UInt64(config.plan.seed), stream: .dropout, sample: step))
    let heatmaps = Profiler.span("forward") { model(batch.images, pass) }
    let loss = config.loss(heatmaps, batch.targets, weight: batch.weights)
    let update = try learners[0].update(loss, at: step)
    var metrics: Metrics = ["loss": loss.item]
    if let accuracy = Heatmaps.accuracy(Heatmaps.list(of: heatmaps), Heatmaps.list(of: batch.targets)) { metrics["accuracy"] = accuracy }
    metrics["grad_norm"] = update.norm
    return StepReport(
      epoch: batches.epochs(after: step + 1), samples: config.train.batchSize, learningRates: learners[0].learningRates(at: step),
      dataSeconds: batches.secondsWaited, metrics: metrics)
  }

  public mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    guard let validation else { return nil }
    let shown = Set(validation.indices(imageLimit: config.validation.limit).prefix(3))
    var pictures: [EvaluationReport.Picture] = []
    let judgement = try Pose.judge(model, config, on: validation, monitor) { index, body, prediction in
      guard shown.contains(index) else { return }
      let sheet = HeatmapSheet(body.sample.image, prediction.heatmaps, validation.skeleton, truth: body.labeledKeypoints)
      pictures.append(.init(name: validation.name(of: index), png: try PNG.encode(sheet.image())))
    }
    return EvaluationReport(metrics: judgement.metrics, pictures: pictures)
  }
}
