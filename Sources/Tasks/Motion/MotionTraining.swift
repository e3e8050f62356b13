import Base
import Data
import Models
import Networks
import Tensors
import Training
import Vision
import WeightFiles

/// Training of displacements in one stage: the loss of the prediction after every frame of a piece of a track.
public struct MotionTraining: StageTraining {
  /// What a stage learns from and is judged by.
  public struct Sets: Sendable {
    let training: TrackWindows
    let validation: TrackWindows?
  }

  public static let trainMetrics: [MetricKind] = [.loss(), .gradientNorm()]
  public static let evaluationMetrics = Motion.metrics

  public let model: MotionLSTM
  public let learners: [Learner]
  private let config: MotionConfig
  private let validation: TrackWindows?
  private var batches: BatchStream<MotionSample>

  public static func model(_ config: MotionConfig) -> MotionLSTM { Motion.model(config) }

  public static func open(_ stage: Stage<MotionConfig>) throws -> Sets {
    let config = stage.config
    guard let sequences = try config.data.sequences() else {
      throw Failure(.usage, at: "\(stage.section)data.root", "'' leaves nothing to learn from",
                    remedy: "Name a folder of sequences in MOT layout.")
    }
    // One frame behind those that are seen.
    let training = try TrackWindows(sequences, length: config.window.history + 2, stride: config.window.stride)
    return Sets(training: training, validation: try Motion.validationSet(config))
  }

  public static func stepsPerEpoch(_ sets: Sets, _ config: MotionConfig) -> Int { order(of: sets.training, config).batchesPerEpoch }

  private static func order(of data: TrackWindows, _ config: MotionConfig) -> BatchOrder {
    BatchOrder(count: data.count, batchSize: config.train.batchSize, seed: UInt64(config.plan.seed))
  }

  public init(_ stage: Stage<MotionConfig>, _ sets: Sets, _ model: MotionLSTM, _ learners: [Learner]) {
    self.model = model
    self.learners = learners
    config = stage.config
    validation = sets.validation
    let (data, noise) = (sets.training, stage.config.noise)
    batches = BatchStream(Self.order(of: data, config), workers: config.train.workers) { index, random in
      let boxes = data.sample(at: index).boxes
      return MotionSample(boxes, seen: boxes.count - 1, noise, &random)
    }
  }

  public mutating func step(at step: Int) throws -> StepReport {
    let samples = try Profiler.span("data") { try batches.batch(at: step) }
    let pass = Pass(.training, random: Random(seed: UInt64(config.plan.seed), stream: .dropout, sample: step))
    let predictions = Profiler.span("forward") { model(samples, pass) }
    let loss = smoothL1Loss(predictions, samples.targets(scale: config.model.scale), beta: config.loss.beta)
    let update = try learners[0].update(loss, at: step)
    return StepReport(
      epoch: batches.epochs(after: step + 1), samples: config.train.batchSize, learningRates: learners[0].learningRates(at: step),
      dataSeconds: batches.secondsWaited, metrics: ["loss": loss.item, "grad_norm": update.norm])
  }

  public mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    try validation.map { try Motion.judge(model, config, on: $0, monitor) }
  }
}

extension MotionLSTM {
  /// The displacements predicted after every frame of pieces of tracks but the first, `[n, t - 1, 4]`, times the scale.
  func callAsFunction(_ samples: [MotionSample], _ pass: Pass) -> Tensor {
    var rollout = BoxRollout(samples.compactMap { $0.observed[0] }, config)
    return self(frames: (samples.first?.observed.count ?? 1) - 1, pass) { frame, predicted in
      rollout.advance(samples.map { $0.observed[frame + 1] }, predicted: predicted)
    }
  }
}
