import Base
import Data
import Foundation
import Models
import Networks
import Tensors
import Training
import Vision
import WeightFiles

/// RAFT's training: sequence loss, clipped gradients, AdamW, one-cycle schedule; in one piece or in stages.
public struct FlowRecipe: Recipe {
  let config: OpticalFlowConfig
  let model: RAFT
  /// The parts of the run, and the data of each: all opened at the start, so that a missing folder is told at once.
  private let schedules: [FlowStage]
  private let sets: [FlowSets]
  private let order: Stages
  private var course: FlowCourse

  public var stages: Stages? { config.stages.isEmpty ? nil : order }

  init(_ config: OpticalFlowConfig, weights: String?) throws {
    self.config = config
    schedules = config.schedules
    order = Stages(schedules.map { .init(name: $0.name, steps: $0.steps) })
    sets = try schedules.enumerated().map { try FlowSets($1, section: Self.section($0, config)) }
    model = OpticalFlow.model(config)
    if let weights { try OpticalFlow.load(weights, into: model) }
    // All stages are begun once, the first one last: what is wrong with one shows now.
    let courses = try schedules.indices.reversed().map { [sets, order, model] in try Self.course($0, config, sets, order, model) }
    course = courses[courses.count - 1]
  }

  /// A stage of the run, begun.
  private static func course(
    _ index: Int, _ config: OpticalFlowConfig, _ sets: [FlowSets], _ order: Stages, _ model: RAFT
  ) throws -> FlowCourse {
    try FlowCourse(config.schedules[index], index: index, start: order.start(of: index), section: section(index, config), sets: sets[index],
                   model: model, seed: config.plan.seed)
  }

  /// The key of a stage in the config, with a point behind.
  private static func section(_ index: Int, _ config: OpticalFlowConfig) -> String { config.stages.isEmpty ? "" : "stages.\(index)." }

  /// Turns to the stage that an update belongs to, if it is not at work; it then begins.
  private mutating func enterStage(ofUpdate step: Int) throws {
    let index = order.index(ofUpdate: step)
    guard index != course.index else { return }
    course = try Self.course(index, config, sets, order, model)
  }

  public var trainMetrics: [MetricKind] {
    [.loss()] + OpticalFlow.metricKinds.prefix(4) + [.gradientNorm()]
  }
  public var evaluationMetrics: [MetricKind] { OpticalFlow.metricKinds }

  public mutating func step(at step: Int) throws -> StepReport {
    try enterStage(ofUpdate: step)
    let started = Date()
    let (own, learning) = (step - course.start, course.stage.learning)
    let batch = try Profiler.span("data") { try FlowBatch(course.samples(at: own)) }
    let waited = Date().timeIntervalSince(started)
    let pass = Pass(.training, random: Random(seed: UInt64(config.plan.seed), stream: .dropout, sample: own),
                    frozenNormalization: learning.freezeBatchNorm)
    let (loss, last) = Profiler.span("forward") { forward(batch, learning, pass) }
    let gradients = loss.gradients()
    let rate = course.stage.rate(at: own), optimizer = course.optimizer
    let clipped = try Profiler.span("clip") { try clip(gradients, of: optimizer.parameters, to: learning.clipNorm) }
    Profiler.span("optimizer") { optimizer.step(gradients, learningRate: rate, scale: clipped.scale) }
    let errors = Profiler.span("metrics") { batch.errors(of: last, maxFlow: learning.maxFlow) }
    let samples = learning.batchSize
    return StepReport(
      epoch: (own + 1) * samples / course.sets.training.count, samples: samples, learningRates: ["lr": rate], dataSeconds: waited,
      metrics: ["loss": loss.item, "epe": errors.epe, "1px": errors.below[0], "3px": errors.below[1], "5px": errors.below[2],
                "grad_norm": clipped.norm])
  }

  /// The loss, and the last flow without its graph.
  private func forward(_ batch: FlowBatch, _ learning: FlowLearning, _ pass: Pass) -> (loss: Tensor, flow: Tensor) {
    let flows = model(batch.image1, batch.image2, iterations: learning.iterations, pass).flows
    let loss = RAFT.sequenceLoss(flows, target: batch.flow, valid: batch.valid, gamma: learning.gamma, maxFlow: learning.maxFlow)
    return (loss, flows[flows.count - 1].detached())
  }

  public mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    let index = order.index(ofUpdate: max(step - 1, 0)), config = schedules[index].laid(over: config)
    guard let validation = sets[index].validation else { return nil }
    let indices = config.validation.indices(of: validation.count)
    let shown = Set(indices.prefix(4))
    var pictures: [EvaluationReport.Picture] = []
    let estimator = FlowEstimator(model, config.learning)
    let errors = try estimator.errors(on: validation, indices, showsUpdates: { $0 == indices.first }) { index, sample, estimate in
      guard shown.contains(index) else { return }
      let name = validation.name(of: index)
      for (suffix, figure) in OpticalFlow.pictures(of: sample, estimate, title: "\(name), step \(step)") {
        pictures.append(.init(name: name + suffix, png: try PNG.encode(figure.image())))
      }
    }
    return EvaluationReport(metrics: OpticalFlow.metrics(errors), pictures: pictures)
  }

  /// Weights and optimiser of the stage at work. The stage, the learning rate, the next batch, its augmentation and dropout are functions
  /// of the seed and the step, which the loop saves.
  public func checkpointFiles() throws -> [CheckpointFile] {
    [CheckpointFile(name: OpticalFlow.modelFile, bytes: model.stateDictionary().safetensors().bytes),
     CheckpointFile(name: "optimizer.safetensors", bytes: course.optimizer.saved().bytes)]
  }

  public mutating func restore(_ files: [String: [UInt8]], at step: Int) throws {
    func part(_ name: String) throws -> Safetensors {
      guard let bytes = files[name] else { throw Failure(.badData, at: name, "the checkpoint lacks this file") }
      return try Safetensors(bytes: bytes, name: name)
    }
    try model.load(StateDictionary(part(OpticalFlow.modelFile)), from: OpticalFlow.modelFile)
    try enterStage(ofUpdate: max(step - 1, 0))
    try course.optimizer.restore(part("optimizer.safetensors"), from: "optimizer.safetensors")
  }

  public func nonFiniteParameter() -> String? {
    model.parameters().first { !$0.parameter.value.isFinite }?.name
  }
}
