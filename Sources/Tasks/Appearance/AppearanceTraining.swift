import Base
import Data
import Models
import Networks
import Tensors
import Training
import WeightFiles

/// Training of appearance in one stage: a loss of the vectors of a batch, and one update along its gradient.
public struct AppearanceTraining: StageTraining {
  /// What a stage learns from and is judged by.
  public struct Sets: Sendable {
    let training: IdentitySet
    let validation: RetrievalSet?
  }

  public static let trainMetrics = [
    .loss(), MetricKind("scale", "κ of the cosine softmax"), .gradientNorm(),
  ]
  public static let evaluationMetrics = Appearance.metrics

  public let model: AppearanceLearning
  public let learners: [Learner]
  private let config: AppearanceConfig
  private let validation: RetrievalSet?
  private var batches: BatchStream<AppearanceInput>

  public static func model(_ config: AppearanceConfig) -> AppearanceLearning {
    var random = Random(seed: UInt64(config.plan.seed), stream: .initialization, sample: 1)
    return AppearanceLearning(Appearance.model(config), AppearanceHead(config.loss, features: config.model.features, &random))
  }

  public static func open(_ stage: Stage<AppearanceConfig>) throws -> Sets {
    let config = stage.config
    let training = try trainingSet(stage), perBatch = config.train.batchSize / max(1, config.train.cropsPerIdentity)
    for note in training.notes { Warning.emit(note) }
    let count = training.identities.count
    guard count >= 2 else {
      throw Failure(.badData, at: "\(stage.section)data.root",
                    "\(count) identities with \(config.data.minCrops) crops or more, expected two")
    }
    guard config.train.cropsPerIdentity == 0 || perBatch <= count else {
      throw Failure(.usage, at: "\(stage.section)train.batch_size", "a batch has \(perBatch) identities, but the data have \(count)",
                    remedy: "Choose a smaller batch_size, or more crops_per_identity.")
    }
    if config.loss.kind == .cosineSoftmax, config.loss.identities != count {
      throw Failure(.usage, at: "\(stage.section)loss.identities", "\(config.loss.identities), but the data have \(count) identities",
                    remedy: "0 takes those of the data. A run that goes on needs the data that it began with.")
    }
    return Sets(training: training, validation: try config.validation.openRetrieval(config.model))
  }

  static func trainingSet(_ stage: Stage<AppearanceConfig>) throws -> IdentitySet {
    guard let training = try stage.config.data.openTraining(stage.config.model) else {
      throw Failure(.usage, at: "\(stage.section)data.root", "there is no data to learn from", remedy: "Name the folder of the set.")
    }
    return training
  }

  public static func stepsPerEpoch(_ sets: Sets, _ config: AppearanceConfig) -> Int { order(of: sets.training, config).batchesPerEpoch }

  /// The order of the crops.
  static func order(of data: IdentitySet, _ config: AppearanceConfig) -> BatchOrder {
    let seed = UInt64(config.plan.seed), batchSize = config.train.batchSize
    guard config.train.cropsPerIdentity > 0 else { return BatchOrder(count: data.count, batchSize: batchSize, seed: seed) }
    return BatchOrder(labels: data.labels, perLabel: config.train.cropsPerIdentity, batchSize: batchSize, seed: seed)
  }

  /// A crop as the network takes it.
  static func element(
    of data: IdentitySet, _ config: AppearanceConfig, at index: Int, random: inout Random,
    seen: AugmentationObserver<IdentitySample> = { _, _ in }
  ) throws -> AppearanceInput {
    let sample = try data.sample(at: index)
    seen(.asRead) { sample }
    return config.augmentation(sample, height: config.model.height, width: config.model.width, random: &random, seen: seen)
  }

  public init(_ stage: Stage<AppearanceConfig>, _ sets: Sets, _ model: AppearanceLearning, _ learners: [Learner]) {
    self.model = model
    self.learners = learners
    config = stage.config
    validation = sets.validation
    let data = sets.training
    batches = BatchStream(Self.order(of: data, config), workers: config.train.workers) { index, random in
      try Self.element(of: data, stage.config, at: index, random: &random)
    }
  }

  /// The part of a checkpoint with what the loss learns besides the network.
  static let headPart = "head"

  /// The network by itself, as trackers take it, and beside it what the loss learned.
  public var parts: [(name: String, part: any Savable)] {
    var parts: [(name: String, part: any Savable)] = [(WeightFile.standardPart, Weights(of: model.network))]
    if !model.head.parameters().isEmpty { parts.append((Self.headPart, Weights(of: model.head))) }
    parts.append(("optimizer", learners[0]))
    return parts
  }

  public mutating func step(at step: Int) throws -> StepReport {
    let batch = try Profiler.span("data") { AppearanceBatch(try batches.batch(at: step)) }
    let pass = Pass(.training, random: Random(seed: UInt64(config.plan.seed), stream: .dropout, sample: step))
    let loss = Profiler.span("forward") { config.loss(model.network(batch.images, pass), batch.labels, model.head) }
    let update = try learners[0].update(loss.total, at: step)
    var metrics: Metrics = ["loss": loss.total.item]
    for (name, value) in loss.terms { metrics[name] = value.item }
    metrics["grad_norm"] = update.norm
    return StepReport(
      epoch: batches.epochs(after: step + 1), samples: config.train.batchSize, learningRates: learners[0].learningRates(at: step),
      dataSeconds: batches.secondsWaited, metrics: metrics)
  }

  public mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    guard let validation else { return nil }
    let result = try Appearance.judge(model.network, config, on: validation, monitor)
    return EvaluationReport(metrics: result.metrics, pictures: try result.pictures(count: 4, config))
  }
}
