import Base
import Data
import Drawing
import Models
import Networks
import Tensors
import Training
import Vision
import WeightFiles

/// RAFT's training in one stage: sequence loss, and one update along its gradient.
public struct FlowTraining: StageTraining {
  /// The training and the validation set of a stage.
  public struct Sets: Sendable {
    let training: FlowMixture
    let validation: (any FlowDataset)?
  }

  public static let trainMetrics = [.loss()] + OpticalFlow.trainMetrics + [.gradientNorm()]
  public static let evaluationMetrics = OpticalFlow.loggedMetrics

  public let model: RAFT
  public let learners: [Learner]
  private let config: OpticalFlowConfig
  private let validation: (any FlowDataset)?
  private var batches: BatchStream<FlowElement>
  private let training: FlowMixture
  /// The section of the training data in the config, for failures.
  private let section: String
  /// Pairs read since the last one that had known flow.
  private var unknownCount = 0
  /// Whether any pair of the set has known flow, as soon as that was looked up.
  private var hasKnownFlow = false

  public static func model(_ config: OpticalFlowConfig) -> RAFT { OpticalFlow.model(config) }

  public static func open(_ stage: Stage<OpticalFlowConfig>) throws -> Sets {
    Sets(training: try trainingSet(stage), validation: try stage.config.validation.open("\(stage.section)validation"))
  }

  static func trainingSet(_ stage: Stage<OpticalFlowConfig>) throws -> FlowMixture {
    let config = stage.config
    let key = "\(stage.section)data"
    guard let training = try config.data.open(key, augmentation: config.augmentation) else {
      throw Failure(.usage, at: "\(key).format", "'none' leaves nothing to learn from",
                    remedy: "Choose a format with data, such as flying_chairs.")
    }
    return training
  }

  public static func stepsPerEpoch(_ sets: Sets, _ config: OpticalFlowConfig) -> Int {
    order(of: sets.training, config).batchesPerEpoch
  }

  /// The order of the training pairs.
  static func order(of data: FlowMixture, _ config: OpticalFlowConfig) -> BatchOrder {
    BatchOrder(count: data.count, batchSize: config.train.batchSize, seed: UInt64(config.plan.seed))
  }

  /// A pair as the network takes it.
  static func element(
    of data: FlowMixture, _ config: OpticalFlowConfig, at index: Int, random: inout Random,
    seen: AugmentationObserver<FlowSample> = { _, _ in }
  ) throws -> FlowElement {
    let (original, augmentation) = try data.augmented(at: index)
    seen(.asRead) { original }
    var sample = augmentation(original, random: &random, seen: seen)
    if config.train.addNoise {
      let deviation = sample.addNoise(&random)
      seen(AugmentationStep("noise", "a deviation of \(Int((10 * deviation).rounded())) tenths of a level")) { sample }
    }
    return FlowElement(sample)
  }

  public init(_ stage: Stage<OpticalFlowConfig>, _ sets: Sets, _ model: RAFT, _ learners: [Learner]) {
    self.model = model
    self.learners = learners
    config = stage.config
    validation = sets.validation
    section = "\(stage.section)data"
    let data = sets.training
    training = data
    batches = BatchStream(Self.order(of: data, config), workers: config.train.workers) { index, random in
      try Self.element(of: data, stage.config, at: index, random: &random)
    }
  }

  public mutating func step(at step: Int) throws -> StepReport {
    let batch = try Profiler.span("data") { try nextBatch(step) }
    let pass = Pass(.training, random: Random(seed: UInt64(config.plan.seed), stream: .dropout, sample: step),
                    frozenNormalization: config.train.freezeBatchNorm)
    let (loss, last) = Profiler.span("forward") { forward(batch, pass) }
    let update = try learners[0].update(loss, at: step)
    let errors = Profiler.span("metrics") { batch.errors(of: last, maxFlow: config.loss.maxFlow) }
    // A batch without any known vector teaches nothing, which is no reason to report a loss and an error of 0.
    var metrics: Metrics = errors.isEmpty ? [:] : ["loss": loss.item]
    for (kind, value) in zip(OpticalFlow.trainMetrics, errors) { metrics[kind.name] = value }
    metrics["grad_norm"] = update.norm
    return StepReport(
      epoch: batches.epochs(after: step + 1), samples: config.train.batchSize, learningRates: learners[0].learningRates(at: step),
      dataSeconds: batches.secondsWaited, metrics: metrics)
  }

  /// - Throws: what reading throws; `.badData` if no pair of the set has known flow. That is looked up when as many pairs as it holds had
  ///   none in a row, since a crop may miss what is known, and an epoch leave it out.
  private mutating func nextBatch(_ step: Int) throws -> FlowBatch {
    let elements = try batches.batch(at: step)
    unknownCount = elements.contains { $0.valid.contains(1) } ? 0 : unknownCount + elements.count
    if unknownCount >= training.count, !hasKnownFlow {
      hasKnownFlow = try (0..<training.count).contains { try training.augmented(at: $0).sample.flow.isValid.contains(true) }
      guard hasKnownFlow else {
        throw Failure(.badData, at: section,
                      "the flow of all \(training.count) pairs is unknown everywhere: there is nothing to learn from",
                      remedy: "Check the flow files of '\(section).root'.")
      }
    }
    return FlowBatch(elements)
  }

  /// The loss, and the last flow without its graph.
  private func forward(_ batch: FlowBatch, _ pass: Pass) -> (loss: Tensor, flow: Tensor) {
    let flows = model(batch.image1, batch.image2, iterations: config.train.iterations, pass).flows
    let loss = RAFT.sequenceLoss(flows, target: batch.flow, valid: batch.valid, gamma: config.loss.gamma, maxFlow: config.loss.maxFlow)
    return (loss, flows[flows.count - 1].detached())
  }

  public mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    guard let validation else { return nil }
    let indices = config.validation.indices(of: validation.count)
    let shown = Set(indices.prefix(4))
    var pictures: [EvaluationReport.Picture] = []
    let evaluator = try OpticalFlow.judge(
      model, config, on: validation, isDetailed: false, showsUpdates: { $0 == indices.first }, monitor
    ) { index, sample, estimate in
      guard shown.contains(index) else { return }
      let name = validation.name(of: index)
      for (suffix, figure) in OpticalFlow.pictures(of: sample, estimate, title: "\(name), step \(step)") {
        pictures.append(.init(name: name + suffix, png: try PNG.encode(figure.image())))
      }
    }
    return EvaluationReport(metrics: try evaluator.result(), pictures: pictures, warnings: evaluator.warnings)
  }
}

extension FlowSample {
  /// Gaussian noise with one deviation for the pair, drawn from 0...5 grey levels; results are clipped to 0...255.
  /// - Returns: the deviation.
  fileprivate mutating func addNoise(_ random: inout Random) -> Double {
    let deviation = random.uniform(0, 5)
    func noisy(_ image: Image, _ random: inout Random) -> Image {
      var result = image
      for i in result.pixels.indices {
        result.pixels[i] = UInt8(min(max(Double(image.pixels[i]) + deviation * random.normal(), 0), 255))
      }
      return result
    }
    image1 = noisy(image1, &random)
    image2 = noisy(image2, &random)
    return deviation
  }
}
