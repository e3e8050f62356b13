import Base
import Data
import Drawing
import Models
import Networks
import Tensors
import Training
import Vision
import WeightFiles

/// DETR's training in one stage: the set loss, and one update along its gradient.
public struct DetectionTraining: StageTraining {
  /// What a stage learns from and is judged by.
  public struct Sets: Sendable {
    let training: COCODetection
    let validation: COCODetection?
  }

  public static let trainMetrics = [.loss()] + lossMetrics + [
    MetricKind("class_error", unit: "%", "objects whose slot is given another class", better: .lower),
    MetricKind("cardinality_error", "objects that are counted too much or too little", better: .lower), .gradientNorm(),
  ]
  private static let lossMetrics = [
    MetricKind("loss_ce", "cross-entropy of classes, last layer", better: .lower),
    MetricKind("loss_bbox", "L1 distance of boxes, last layer", better: .lower),
    MetricKind("loss_giou", "1 - generalised IoU of boxes, last layer", better: .lower),
    MetricKind("loss_mask", "focal loss of masks", better: .lower),
    MetricKind("loss_dice", "Dice loss of masks", better: .lower),
  ]
  public static let evaluationMetrics = Detection.metrics

  public let model: DETRModel
  public let learners: [Learner]
  private let config: DetectionConfig
  private let validation: COCODetection?
  private var batches: BatchStream<DetectionElement>
  /// The matching of the shown validation images at each evaluation since the process began.
  private var matchings: [MatchingFigure.Moment] = []

  public static func model(_ config: DetectionConfig) -> DETRModel { Detection.model(config) }

  public static func open(_ stage: Stage<DetectionConfig>) throws -> Sets {
    Sets(training: try trainingSet(stage), validation: try stage.config.validation.open(stage.config))
  }

  static func trainingSet(_ stage: Stage<DetectionConfig>) throws -> COCODetection {
    guard let training = try stage.config.data.open(stage.config) else {
      throw Failure(.usage, at: "\(stage.section)data.annotations", "'' leaves nothing to learn from",
                    remedy: "Name a COCO annotation file.")
    }
    return training
  }

  public static func stepsPerEpoch(_ sets: Sets, _ config: DetectionConfig) -> Int {
    BatchOrder(count: sets.training.count, batchSize: config.train.batchSize, seed: 0).batchesPerEpoch
  }

  /// The order of the training images.
  static func order(of data: COCODetection, _ config: DetectionConfig) -> BatchOrder {
    BatchOrder(count: data.count, batchSize: config.train.batchSize, seed: UInt64(config.plan.seed),
               groups: config.train.groupByShape ? data.shapeGroups : [])
  }

  /// An image as the network takes it.
  static func element(
    of data: COCODetection, _ config: DetectionConfig, at index: Int, random: inout Random,
    seen: AugmentationObserver<DetectionSample> = { _, _ in }
  ) throws -> DetectionElement {
    let sample = try data.sample(at: index).sample
    seen(.asRead) { sample }
    return DetectionElement(config.augmentation(sample, random: &random, seen: seen))
  }

  public init(_ stage: Stage<DetectionConfig>, _ sets: Sets, _ model: DETRModel, _ learners: [Learner]) {
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
    let batch = try Profiler.span("data") { DetectionBatch(try batches.batch(at: step)) }
    let pass = Pass(.training, random: Random(seed: UInt64(config.plan.seed), stream: .dropout, sample: step))
    let report = try Profiler.span("forward") { try forward(batch, pass) }
    let update = try learners[0].update(report.total, at: step)
    var metrics: Metrics = ["loss": report.total.item]
    for (name, value) in report.terms where Self.lossMetrics[name] != nil { metrics[name] = value.item }
    metrics["class_error"] = report.classError
    metrics["cardinality_error"] = report.cardinalityError
    metrics["grad_norm"] = update.norm
    return StepReport(
      epoch: batches.epochs(after: step + 1), samples: config.train.batchSize, learningRates: learners[0].learningRates(at: step),
      dataSeconds: batches.secondsWaited, metrics: metrics)
  }

  private func forward(_ batch: DetectionBatch, _ pass: Pass) throws -> SetLoss.Report {
    let output = model.detr(batch.images, auxiliary: config.loss.auxiliary, pass)
    return try config.loss(output, batch.targets, segmentation: model.segmentation)
  }

  public mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    guard let validation else { return nil }
    let shown = Set(config.validation.indices(of: validation.count).prefix(4))
    var pictures: [EvaluationReport.Picture] = []
    func show(_ name: String, _ figure: any Figure) throws { pictures.append(.init(name: name, png: try PNG.encode(figure.image()))) }
    var objects: [String] = []
    var queries: [Int?] = []
    let judgement = try Detection.judge(model, config, on: validation, monitor) { index, example, prediction in
      guard shown.contains(index) else { return }
      let name = validation.name(of: index)
      for (suffix, figure) in Detection.pictures(of: example, prediction, validation, config) { try show(name + suffix, figure) }
      let inspection = Inspection(of: example, model, config)
      if let figure = inspection.attention(config) { try show(name + "_attention", figure) }
      queries += inspection.queries
      objects += example.sample.objects.map { "\(name) \(config.categories.name(of: $0.label))" }
    }
    for (name, figure) in judgement.figures { try show(name, figure) }
    matchings.append(.init(step: step, queries: queries))
    if matchings.count > 1, !objects.isEmpty { try show("matching", MatchingFigure(matchings, objects: objects)) }
    return EvaluationReport(metrics: judgement.metrics, pictures: pictures)
  }
}
