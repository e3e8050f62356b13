import Base
import Data
import Networks
import Tasks
import Tensors
import Training

/// Finds the positive ones among samples, judged by average precision, which exists only over the whole set. Two stages: the second adds a head,
/// freezes the rest, and begins with a file that fits in part. The trunk learns slower than the heads.
enum RankingToy: LearningTask, EvaluationTask {
  typealias Model = Scorer
  typealias TaskTraining = RankingTraining

  struct Config: TaskConfig {
    struct Shape: Codable, Sendable, Equatable {
      /// Whether there is a second head.
      var second = false
    }

    var initialize = Initialization()
    var model = Shape()
    var batchSize = 5
    var workers = 1
    var optimizer = OptimizerConfig(.sgd, learningRate: 0.05)
    var schedule = Schedule()
    var plan = Plan()

    static let renamedKeys = ["batch": "batch_size"]
  }

  struct Scorer: PublishedModel {
    let trunk: Linear
    let head: Linear
    let second: Linear?

    init(_ shape: Config.Shape, _ random: inout Random) {
      trunk = Linear(4, 6, &random)
      head = Linear(6, 1, &random)
      second = shape.second ? Linear(6, 1, &random) : nil
    }

    func callAsFunction(_ features: Tensor) -> Tensor {
      let x = trunk(features).relu()
      let score = head(x)
      return second.map { score + $0(x) } ?? score
    }
  }

  static let help = TaskHelp(title: "positive samples first")
  static let metrics = RankingTraining.evaluationMetrics

  static func model(_ config: Config) -> Scorer { RankingTraining.model(config) }
  static func modelTitle(_ config: Config) -> String { "the scorer" }
  static func inputShape(_ config: Config) -> InputShape { InputShape(samples: config.batchSize, height: 1, width: 1) }
  static func inputSizes(_ model: Scorer) -> (least: Int, step: Int) { (1, 1) }
  static func pass(_ model: Scorer, _ config: Config, _ shape: InputShape, _ mode: PassMode) -> Tensor {
    model(.zeros([shape.samples * shape.height * shape.width, 4])).sum()
  }

  static func evaluate(_ config: Config, _ model: Scorer, visuals: String?, _ monitor: EvaluationMonitor) throws -> EvaluationReport {
    var judge = AveragePrecision()
    let set = Samples(count: 23, seed: 9)
    let pass = EvaluationPass<Samples.Sample>(set, Array(0..<set.count), batchSize: 6, workers: config.workers, monitor: monitor)
    try pass.run(&judge) { _, samples in
      noGradient { model(Tensor(samples.flatMap(\.features), shape: [samples.count, 4])).floats }
    }
    return EvaluationReport(metrics: try judge.result())
  }
}

struct Samples: Dataset {
  struct Sample: Sendable {
    let features: [Float]
    let isPositive: Bool
  }

  let count: Int
  let seed: UInt64

  func sample(at index: Int) throws -> Sample {
    try ToyFate.pass()
    var random = Random(seed: seed, stream: .synthesis, sample: index)
    let features = (0..<4).map { _ in Float(random.normal()) }
    return Sample(features: features, isPositive: features[0] + features[1] * features[2] > 0.2)
  }

  func name(of index: Int) -> String { "\(index)" }
}

/// The mean of the precision at each positive sample, in the order of the scores.
struct AveragePrecision: Evaluator {
  private var judged: [(score: Float, isPositive: Bool)] = []

  mutating func add(_ prediction: Float, _ truth: Samples.Sample) { judged.append((prediction, truth.isPositive)) }

  func result() throws -> Metrics {
    var hits = 0
    var sum = 0.0
    for (rank, sample) in judged.sorted(by: { $0.score > $1.score }).enumerated() where sample.isPositive {
      hits += 1
      sum += Double(hits) / Double(rank + 1)
    }
    guard hits > 0 else { throw Failure(.badData, at: "validation", "no sample is positive") }
    return ["ap": sum / Double(hits)]
  }
}

struct RankingTraining: StageTraining {
  typealias Config = RankingToy.Config

  static let trainMetrics = [MetricKind.loss(), .gradientNorm()]
  static let evaluationMetrics = [MetricKind("ap", "average precision over the whole set", better: .higher)]

  static func model(_ config: Config) -> RankingToy.Scorer {
    var random = Random(seed: UInt64(config.plan.seed), stream: .initialization)
    return RankingToy.Scorer(config.model, &random)
  }

  static func learners(_ config: Config, _ model: RankingToy.Scorer) -> [LearnerPlan] {
    [LearnerPlan("", model, config.optimizer, config.schedule)]
  }

  static func open(_ stage: Stage<Config>) throws -> Samples { Samples(count: 24, seed: 1) }
  static func stepsPerEpoch(_ sets: Samples, _ config: Config) -> Int {
    BatchOrder(count: sets.count, batchSize: config.batchSize, seed: 0).batchesPerEpoch
  }

  let model: RankingToy.Scorer
  let learners: [Learner]
  private let config: Config
  private var batches: BatchStream<Samples.Sample>

  init(_ stage: Stage<Config>, _ sets: Samples, _ model: RankingToy.Scorer, _ learners: [Learner]) {
    self.model = model
    self.learners = learners
    config = stage.config
    batches = BatchStream(count: sets.count, batchSize: config.batchSize, seed: UInt64(config.plan.seed), workers: config.workers) { index, _ in
      try sets.sample(at: index)
    }
  }

  mutating func step(at step: Int) throws -> StepReport {
    let samples = try batches.batch(at: step)
    let scores = model(Tensor(samples.flatMap(\.features), shape: [samples.count, 4]))
    let signs = Tensor(samples.map { $0.isPositive ? Float(-1) : 1 }, shape: [samples.count, 1])
    let loss = (signs * scores).softplus().mean()
    let norm = try learners[0].update(loss, at: step).norm
    return StepReport(epoch: batches.epochs(after: step + 1), samples: samples.count, learningRates: learners[0].learningRates(at: step),
                      metrics: ["loss": loss.item, "grad_norm": norm])
  }

  mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    try RankingToy.evaluate(config, model, visuals: nil, monitor)
  }
}
