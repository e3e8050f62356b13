import Data
import Foundation
import Models
import Networks
import Tensors
import Training
import Vision

/// RAFT's training: sequence loss, clipped gradients, AdamW, one-cycle schedule.
public struct FlowRecipe: Recipe {
  let config: OpticalFlowConfig
  let model: RAFT
  private let optimizer: AdamW
  private let training: any FlowDataset
  private let validation: (any FlowDataset)?
  private var loader: Loader<FlowSample>?
  /// The step whose batch the loader gives next.
  private var nextStep = -1

  init(_ config: OpticalFlowConfig, weights: String?) throws {
    guard let training = try config.data.open("data") else {
      throw Failure(.usage, at: "data.format", "'none' leaves nothing to learn from", remedy: "Choose flying_chairs or pairs.")
    }
    self.config = config
    self.training = training
    validation = try config.validation.open("validation")
    model = OpticalFlow.model(config)
    if let weights { try OpticalFlow.load(weights, into: model) }
    try OpticalFlow.freeze(model, config)
    optimizer = try AdamW(model.parameters(), config.optimizer, rules: config.learning.parameterRules)
  }

  public var trainMetrics: [String] { ["loss", "epe", "1px", "3px", "5px", "grad_norm"] }
  public var evaluationMetrics: [String] { OpticalFlow.metricNames }

  public mutating func step(at step: Int) throws -> StepReport {
    let started = Date()
    let batch = try Profiler.span("data") { try FlowBatch(nextSamples(at: step)) }
    let waited = Date().timeIntervalSince(started)
    let pass = Pass(.training, random: Random(seed: UInt64(config.plan.seed), stream: .dropout, sample: step))
    let (loss, last) = Profiler.span("forward") { forward(batch, pass) }
    let gradients = loss.gradients()
    let rate = config.rate(at: step)
    let clipped = try Profiler.span("clip") { try clip(gradients, of: optimizer.parameters, to: config.learning.clipNorm) }
    Profiler.span("optimizer") { optimizer.step(gradients, rate: rate, scale: clipped.scale) }
    let errors = Profiler.span("metrics") { batch.errors(of: last, maxFlow: config.learning.maxFlow) }
    let samples = config.learning.batchSize
    return StepReport(
      epoch: (step + 1) * samples / training.count, samples: samples, learningRate: rate, dataSeconds: waited,
      metrics: ["loss": loss.item, "epe": errors.epe, "1px": errors.below[0], "3px": errors.below[1], "5px": errors.below[2],
                "grad_norm": clipped.norm])
  }

  /// The loss, and the last flow without its graph.
  private func forward(_ batch: FlowBatch, _ pass: Pass) -> (loss: Tensor, flow: Tensor) {
    let flows = model(batch.image1, batch.image2, iterations: config.learning.iterations, pass).flows
    let loss = RAFT.sequenceLoss(
      flows, target: batch.flow, valid: batch.valid, gamma: config.learning.gamma, maxFlow: config.learning.maxFlow)
    return (loss, flows[flows.count - 1].detached())
  }

  private mutating func nextSamples(at step: Int) throws -> [FlowSample] {
    if loader == nil || nextStep != step { loader = makeLoader(startingAt: step) }
    nextStep = step + 1
    guard let samples = try loader?.next() else { stop("FlowRecipe: the loader has no batch for step \(step)") }
    return samples
  }

  private func makeLoader(startingAt step: Int) -> Loader<FlowSample> {
    let (data, augmentation, learning) = (training, config.augmentation, config.learning)
    let order = BatchOrder(count: data.count, batchSize: learning.batchSize, seed: UInt64(config.plan.seed))
    return Loader(order, workers: learning.workers, startingAt: step) { index, random in
      var sample = augmentation(try data.sample(at: index), random: &random)
      if learning.addNoise { sample.addNoise(&random) }
      return sample
    }
  }

  public mutating func evaluate(at step: Int) throws -> EvaluationReport? {
    guard let validation else { return nil }
    let indices = config.validation.indices(of: validation.count)
    let shown = Set(indices.prefix(4))
    var pictures: [EvaluationReport.Picture] = []
    let estimator = FlowEstimator(model, config)
    let errors = try estimator.errors(on: validation, indices, showsUpdates: { $0 == indices.first }) { index, sample, estimate in
      guard shown.contains(index) else { return }
      let name = validation.name(of: index)
      for (suffix, picture) in OpticalFlow.pictures(of: sample, estimate, title: "\(name), step \(step)") {
        pictures.append(.init(name: name + suffix, png: PNG.encode(picture)))
      }
    }
    return EvaluationReport(metrics: OpticalFlow.metrics(errors), score: "epe", lowerIsBetter: true, pictures: pictures)
  }

  /// Weights and optimiser. The learning rate, the next batch, its augmentation and dropout are functions of the seed and the step, which
  /// the loop saves.
  public func checkpointFiles() throws -> [CheckpointFile] {
    [CheckpointFile(name: OpticalFlow.modelFile, bytes: model.stateDictionary().safetensors().bytes),
     CheckpointFile(name: "optimizer.safetensors", bytes: optimizer.state.bytes)]
  }

  public mutating func restore(_ files: [String: [UInt8]]) throws {
    func part(_ name: String) throws -> Safetensors {
      guard let bytes = files[name] else { throw Failure(.badData, at: name, "the checkpoint lacks this file") }
      return try Safetensors(bytes: bytes, name: name)
    }
    try model.load(StateDictionary(part(OpticalFlow.modelFile)), from: OpticalFlow.modelFile)
    try optimizer.restore(part("optimizer.safetensors"), from: "optimizer.safetensors")
    loader = nil
  }

  public func nonFiniteParameter() -> String? {
    model.parameters().first { !$0.parameter.value.isFinite }?.name
  }
}

extension FlowSample {
  /// Gaussian noise with one deviation for the pair, drawn from 0...5 grey levels; results are clipped to 0...255.
  fileprivate mutating func addNoise(_ random: inout Random) {
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
  }
}
