import Base
import Data
import Networks
import Tasks
import Tensors
import Training
import WeightFiles

/// Two networks that train against each other: one makes points of a ring from noise, the other tells them from real ones. Two optimisers, a
/// penalty on the slope that only some steps have, and an averaged copy that is what a user wants.
enum AdversarialToy: LearningTask, EvaluationTask, ParityTask {
  typealias Model = Generator
  typealias TaskTraining = AdversarialTraining

  struct Config: TaskConfig {
    var initialize = Initialization()
    var batchSize = 4
    /// Steps from one penalty on the slope to the next.
    var penaltyEvery = 3
    var penaltyWeight = 0.1
    var averageDecay = 0.8
    var optimizer = OptimizerConfig(.adam, learningRate: 0.01)
    var discriminatorOptimizer = OptimizerConfig(.adam, learningRate: 0.02, clipNorm: 5)
    var schedule = Schedule(.cosine)
    var plan = Plan()
  }

  struct Generator: PublishedModel {
    let hidden: Linear
    let out: Linear

    init(_ random: inout Random) {
      hidden = Linear(3, 8, &random)
      out = Linear(8, 2, &random)
    }

    func callAsFunction(_ noise: Tensor) -> Tensor { out(hidden(noise).relu()) }
  }

  struct Discriminator: Module {
    let hidden: Linear
    let out: Linear

    init(_ random: inout Random) {
      hidden = Linear(2, 8, &random)
      out = Linear(8, 1, &random)
    }

    func callAsFunction(_ point: Tensor) -> Tensor { out(hidden(point).softplus()) }
  }

  struct Pair: Module {
    let generator: Generator
    let discriminator: Discriminator
  }

  static let help = TaskHelp(title: "points of a ring")
  static let metrics = AdversarialTraining.evaluationMetrics

  static func model(_ config: Config) -> Generator { AdversarialTraining.model(config).generator }
  static func modelTitle(_ config: Config) -> String { "the ring's generator" }
  static func inputShape(_ config: Config) -> InputShape { InputShape(samples: config.batchSize, height: 1, width: 1) }
  static func inputSizes(_ model: Generator) -> (least: Int, step: Int) { (1, 1) }
  static func pass(_ model: Generator, _ config: Config, _ shape: InputShape, _ mode: PassMode) -> Tensor {
    model(.zeros([shape.samples * shape.height * shape.width, 3])).sum()
  }

  static func evaluate(_ config: Config, _ model: Generator, visuals: String?, _ monitor: EvaluationMonitor) throws -> EvaluationReport {
    var judge = RingEvaluator()
    let pass = EvaluationPass<[Float]>(Ring(count: 10), Array(0..<10), batchSize: 4, workers: 2, monitor: monitor)
    try pass.run(&judge) { indices, _ in
      indices.map { index in
        var random = Random(seed: 7, stream: .noise, sample: index)
        return noGradient { model(.normal([1, 3], &random)).floats }
      }
    }
    return EvaluationReport(metrics: try judge.result())
  }

  // MARK: Parity

  struct Inputs {
    let noise: Tensor
    let real: Tensor
  }

  static func inputs(_ file: ParityInputs, _ model: Pair) throws -> Inputs {
    Inputs(noise: try file.tensor("noise", shape: [nil, 3]), real: try file.tensor("real", shape: [nil, 2]))
  }

  static func phases(_ model: Pair, _ config: Config, _ inputs: Inputs) throws -> [ParityPhase] {
    let learners = try AdversarialTraining.learners(config, model).map { try Learner($0, steps: config.plan.steps) }
    return [
      ParityPhase("discriminator", learner: learners[1]) {
        let fake = model.generator(inputs.noise).detached()
        return ParityPass(outputs: [("fake", fake)], losses: [("total", AdversarialTraining.lossOfDiscriminator(model, fake, inputs.real))])
      },
      ParityPhase("generator", learner: learners[0]) {
        ParityPass(outputs: [], losses: [("total", AdversarialTraining.lossOfGenerator(model, inputs.noise))])
      },
    ]
  }
}

/// Real points.
struct Ring: Dataset {
  let count: Int

  func sample(at index: Int) throws -> [Float] {
    try ToyFate.pass()
    var random = Random(seed: 3, stream: .synthesis, sample: index)
    let x = random.uniform(-1, 1)
    return [Float(x), Float((1 - x * x).squareRoot())]
  }

  func name(of index: Int) -> String { "\(index)" }
}

/// How far from the ring the points are.
struct RingEvaluator: Evaluator {
  private var sum = 0.0
  private var count = 0

  mutating func add(_ prediction: [Float], _ truth: [Float]) {
    sum += abs(Double((prediction[0] * prediction[0] + prediction[1] * prediction[1]).squareRoot()) - 1)
    count += 1
  }

  func result() throws -> Metrics { ["distance": sum / Double(count)] }
}

struct AdversarialTraining: StageTraining {
  typealias Config = AdversarialToy.Config
  typealias Pair = AdversarialToy.Pair

  static let trainMetrics = [
    MetricKind.loss("loss_g", "loss of the generator"), .loss("loss_d", "loss of the discriminator"), .loss("r1", "penalty on the slope"),
    .gradientNorm("grad_norm_g"), .gradientNorm("grad_norm_d"),
  ]
  static let evaluationMetrics = [MetricKind("distance", "mean distance from the ring", better: .lower)]
  static let weightsPart = "ema"

  static func model(_ config: Config) -> Pair {
    var random = Random(seed: UInt64(config.plan.seed), stream: .initialization)
    return Pair(generator: .init(&random), discriminator: .init(&random))
  }

  static func learners(_ config: Config, _ model: Pair) -> [LearnerPlan] {
    [LearnerPlan("", model.generator, config.optimizer, config.schedule),
     LearnerPlan("d", model.discriminator, config.discriminatorOptimizer, config.schedule, key: "discriminator_optimizer")]
  }

  static func open(_ stage: Stage<Config>) throws -> Ring { Ring(count: 21) }
  static func stepsPerEpoch(_ sets: Ring, _ config: Config) -> Int { BatchOrder(count: sets.count, batchSize: config.batchSize, seed: 0).batchesPerEpoch }

  let model: Pair
  let learners: [Learner]
  private let config: Config
  private let average: MovingAverage
  private var batches: BatchStream<[Float]>

  init(_ stage: Stage<Config>, _ sets: Ring, _ model: Pair, _ learners: [Learner]) {
    self.model = model
    self.learners = learners
    config = stage.config
    average = MovingAverage(of: model.generator, .init(decay: config.averageDecay))
    batches = BatchStream(count: sets.count, batchSize: config.batchSize, seed: UInt64(config.plan.seed), workers: 1) { index, _ in
      try sets.sample(at: index)
    }
  }

  var parts: [(name: String, part: any Savable)] { standardParts + [("ema", average)] }

  static func lossOfDiscriminator(_ model: Pair, _ fake: Tensor, _ real: Tensor) -> Tensor {
    model.discriminator(fake).softplus().mean() + (-model.discriminator(real)).softplus().mean()
  }

  static func lossOfGenerator(_ model: Pair, _ noise: Tensor) -> Tensor { (-model.discriminator(model.generator(noise))).softplus().mean() }

  mutating func step(at step: Int) throws -> StepReport {
    let n = config.batchSize
    let real = Tensor(try batches.batch(at: step).flatMap { $0 }, shape: [n, 2])
    var random = Random(seed: UInt64(config.plan.seed), stream: .noise, sample: step)
    let noise = Tensor.normal([n, 3], &random)

    let lossD = Self.lossOfDiscriminator(model, model.generator(noise).detached(), real)
    let normD = try learners[1].update(lossD, at: step).norm
    var metrics: Metrics = [:]
    if step % config.penaltyEvery == 0 {
      let points = real.asLeaf()
      let slopes = model.discriminator(points).sum().gradients(of: [points], recording: true)
      guard let slope = slopes[points] else { stop("the score does not depend on the points") }
      let penalty = slope.squared().sum([1]).mean()
      try learners[1].update(config.penaltyWeight * penalty, at: step)
      metrics["r1"] = penalty.item
    }
    let lossG = Self.lossOfGenerator(model, noise)
    let normG = try learners[0].update(lossG, at: step).norm
    average.update()
    for (name, value) in [("loss_g", lossG.item), ("loss_d", lossD.item), ("grad_norm_g", normG), ("grad_norm_d", normD)] { metrics[name] = value }
    var rates = learners[0].learningRates(at: step)
    for rate in learners[1].learningRates(at: step) { rates[rate.name] = rate.value }
    return StepReport(epoch: batches.epochs(after: step + 1), samples: n, learningRates: rates, dataSeconds: batches.secondsWaited, metrics: metrics)
  }

  mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    try average.withAverages { try AdversarialToy.evaluate(config, model.generator, visuals: nil, monitor) }
  }
}
