import Base
import Data
import Drawing
import Foundation
import Models
import Networks
import Tensors
import Training
import Vision
import WeightFiles

/// The two networks that train against each other. - Names: `G.mapping.fc0.weight`, `D.Dis.0.conv.weight`, …
public struct InpaintingNetworks: Module {
  public static let checkpointNames = ["generator": "G", "discriminator": "D"]
  public let generator: MATGenerator
  public let discriminator: MATDiscriminator
}

/// Adversarial training in phases: the generator's loss, its regularisation (MAT has none), the discriminator's loss, and its gradient
/// penalty. Those of regularisation are due every so many steps. All phases of a step see one batch with its masks, each with latent
/// vectors of its own, and each changes one network.
/// - Source: the published training of MAT, which is that of StyleGAN2-ADA.
public struct InpaintingTraining: StageTraining {
  /// What a stage learns from and is judged by.
  public struct Sets {
    let training: InpaintingSet
    let validation: InpaintingSet?
    let perception: PerceptualLoss?
  }

  public static let trainMetrics = [
    .loss("loss_g", "loss of the generator", better: nil), .loss("loss_d", "loss of the discriminator", better: nil),
    .loss("r1", "squared slope of the logits at real pictures, of both stages", better: nil),
    .loss("perceptual", "difference in features of VGG-19, without its weight"),
    .loss("l1", "mean difference of pixels in -1...1"), .loss("l1_first_stage", "of the first stage's pictures"),
    MetricKind("logit_real", "mean of both stages"), MetricKind("logit_fake", "mean of both stages"),
    .gradientNorm("grad_norm_g"), .gradientNorm("grad_norm_d"),
    MetricKind("replaced", "numbers of gradients that were infinite or not a number, and were replaced"),
    MetricKind("kimg", "thousands of images seen"),
  ]
  public static let evaluationMetrics = Inpainting.metrics
  /// The averaged generator.
  public static let weightsPart = "ema"

  public let model: InpaintingNetworks
  public let learners: [Learner]
  private let config: InpaintingConfig
  private let sets: Sets
  private let average: MovingAverage
  private let progress = AdversarialProgress()
  private var batches: BatchStream<InpaintingInput>

  public static func model(_ config: InpaintingConfig) -> InpaintingNetworks {
    let seed = UInt64(config.plan.seed)
    var random = Random(seed: seed, stream: .initialization, sample: 1)
    return InpaintingNetworks(generator: Inpainting.model(config), discriminator: MATDiscriminator(config.model, &random))
  }

  public static func learners(_ config: InpaintingConfig, _ model: InpaintingNetworks) -> [LearnerPlan] {
    let ofGenerator = config.optimizer.corrected(forRegularizationEvery: config.loss.generatorInterval)
    let interval = config.loss.r1Gamma > 0 ? config.loss.r1Interval : 0
    let ofDiscriminator = config.discriminatorOptimizer.corrected(forRegularizationEvery: interval)
    return [
      LearnerPlan("", model.generator, ofGenerator, config.schedule),
      LearnerPlan("d", model.discriminator, ofDiscriminator, config.schedule, key: "discriminator_optimizer"),
    ]
  }

  /// A file of the generator alone is taken as that of the pair.
  public static func canonical(_ state: StateDictionary, from origin: String) throws -> StateDictionary {
    let isPair = state.names.contains { $0.hasPrefix("G.") || $0.hasPrefix("D.") }
    guard !isPair else { return state }
    return try state.renamed([("mapping.", "G.mapping."), ("synthesis.", "G.synthesis."), ("Dis", "D.Dis"), ("fc", "D.fc")], from: origin)
  }

  public static func open(_ stage: Stage<InpaintingConfig>) throws -> Sets {
    let config = stage.config
    return Sets(training: try trainingSet(stage), validation: try config.validation.open(config, isTraining: false),
                perception: try Inpainting.perception(config, section: stage.section))
  }

  static func trainingSet(_ stage: Stage<InpaintingConfig>) throws -> InpaintingSet {
    guard let training = try stage.config.data.open(stage.config, isTraining: true) else {
      throw Failure(.usage, at: "\(stage.section)data.images", "there is no data to learn from", remedy: "Name the folder of the pictures.")
    }
    return training
  }

  public static func stepsPerEpoch(_ sets: Sets, _ config: InpaintingConfig) -> Int {
    order(of: sets.training, config).batchesPerEpoch
  }

  /// The order of the training pictures and their mirror images.
  static func order(of data: InpaintingSet, _ config: InpaintingConfig) -> BatchOrder {
    BatchOrder(count: data.trainingCount, batchSize: config.train.batchSize, seed: UInt64(config.plan.seed))
  }

  /// A picture with its mask as the network takes it.
  static func element(
    of data: InpaintingSet, at index: Int, random: inout Random, seen: AugmentationObserver<InpaintingView> = { _, _ in }
  ) throws -> InpaintingInput {
    InpaintingInput(try data.trainingSample(at: index, random: &random, seen: seen))
  }

  public init(_ stage: Stage<InpaintingConfig>, _ sets: Sets, _ model: InpaintingNetworks, _ learners: [Learner]) {
    self.model = model
    self.learners = learners
    self.sets = sets
    config = stage.config
    average = MovingAverage(of: model.generator, .init(decay: config.average.decay(batchSize: config.train.batchSize)))
    let data = sets.training
    batches = BatchStream(Self.order(of: data, config), workers: config.train.workers) { index, random in
      try Self.element(of: data, at: index, random: &random)
    }
  }

  public var parts: [(name: String, part: any Savable)] { standardParts + [("ema", average), ("progress", progress)] }

  // MARK: A step

  /// The phases of a step, in their order.
  enum Phase: Int, CaseIterable, Sendable { case generator, generatorRegularization, discriminator, discriminatorRegularization }

  private func isDue(_ phase: Phase, at step: Int) -> Bool {
    switch phase {
    case .generator, .discriminator: true
    // There is nothing to regularise: path lengths are not.
    case .generatorRegularization: false
    case .discriminatorRegularization: Self.isPenaltyDue(config.loss, at: step)
    }
  }

  static func isPenaltyDue(_ loss: InpaintingLoss, at step: Int) -> Bool { loss.r1Gamma > 0 && step % loss.r1Interval == 0 }

  public mutating func step(at step: Int) throws -> StepReport {
    let batch = try Profiler.span("data") { InpaintingBatch(try batches.batch(at: step)) }
    let phases = AdversarialPhases(model, config, sets.perception)
    var metrics: Metrics = [:]
    for phase in Phase.allCases where isDue(phase, at: step) {
      let random = Random(seed: UInt64(config.plan.seed), stream: .noise, epoch: phase.rawValue, sample: step)
      let outcome = try Profiler.span("\(phase)") {
        switch phase {
        case .generator: try phases.generator(batch, phases.chance(batch, random))
        case .discriminator: try phases.discriminator(batch, phases.chance(batch, random))
        case .generatorRegularization, .discriminatorRegularization: try phases.gradientPenalty(batch)
        }
      }
      let learner = learners[phase == .generator ? 0 : 1]
      let update = try learner.applyReplacing(learner.gradients(of: outcome.loss), at: step)
      progress.count(phase, replaced: update.replaced)
      for metric in outcome.metrics { metrics[metric.name] = metric.value }
      if phase == .generator { metrics["grad_norm_g"] = update.norm }
      if phase == .discriminator { metrics["grad_norm_d"] = update.norm }
      if update.replaced > 0 { metrics["replaced"] = Double(update.replaced) + (metrics["replaced"] ?? 0) }
    }
    average.update()
    progress.images += config.train.batchSize
    metrics["kimg"] = Double(progress.images) / 1000
    var rates = learners[0].learningRates(at: step)
    for rate in learners[1].learningRates(at: step) { rates[rate.name] = rate.value }
    return StepReport(
      epoch: batches.epochs(after: step + 1), samples: config.train.batchSize, learningRates: rates, dataSeconds: batches.secondsWaited,
      metrics: metrics)
  }

  public mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    guard let validation = sets.validation else { return nil }
    return try average.withAverages { try Inpainting.report(model.generator, config, on: validation, pictureCount: 8, monitor) }
  }
}

/// How far an adversarial training is: images seen, phases done, and numbers of gradients that were replaced.
final class AdversarialProgress: Savable {
  var images = 0
  private var phases = [Int](repeating: 0, count: InpaintingTraining.Phase.allCases.count)
  private var replaced = 0

  func count(_ phase: InpaintingTraining.Phase, replaced count: Int) {
    phases[phase.rawValue] += 1
    if count > 0, replaced == 0 {
      Warning.emit("\(count) numbers of the gradients of \(phase) were infinite or not a number, and were replaced; the log counts them")
    }
    replaced += count
  }

  func saved() -> Safetensors {
    Safetensors([], metadata: ["images": "\(images)", "phases": phases.map(String.init).joined(separator: " "), "replaced": "\(replaced)"])
  }

  func restore(_ state: Safetensors, from origin: String) throws {
    let counts = (state.metadata["phases"] ?? "").split(separator: " ").compactMap { Int($0) }
    guard let images = state.metadata["images"].flatMap({ Int($0) }), let replaced = state.metadata["replaced"].flatMap({ Int($0) }),
          counts.count == phases.count, (counts + [images, replaced]).allSatisfy({ $0 >= 0 }) else {
      throw Failure(.badData, at: origin, "expected counts of images, phases and replaced gradients")
    }
    (self.images, self.replaced, phases) = (images, replaced, counts)
  }
}

extension OptimizerConfig {
  /// These settings for a network that is regularised every `interval` steps; 0: never.
  func corrected(forRegularizationEvery interval: Int) -> OptimizerConfig {
    guard interval > 0 else { return self }
    let (adam, factor) = Adam.Config(beta1: beta1, beta2: beta2).lazilyRegularized(every: interval)
    var config = self
    config.learningRate *= factor
    (config.beta1, config.beta2) = (adam.beta1, adam.beta2)
    return config
  }
}
