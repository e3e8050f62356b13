import Base
import Data
import Networks
import Tensors
import Training
import Vision

/// One stage at work: its optimiser, and the batches it has drawn.
struct FlowCourse {
  /// Which stage of the run, and how many updates come before it.
  let index, start: Int
  let stage: FlowStage
  let sets: FlowSets
  let optimizer: AdamW
  private let seed: UInt64
  private var loader: Loader<FlowSample>?
  /// The step whose batch the loader gives next.
  private var nextStep = -1

  /// Begins a stage: a fresh optimiser, and the parameters frozen that this stage freezes.
  /// - Parameter section: the key of the stage in the config, with a point behind; empty for a run in one piece.
  init(_ stage: FlowStage, index: Int, start: Int, section: String, sets: FlowSets, model: some Module, seed: Int) throws {
    (self.index, self.start, self.stage, self.sets, self.seed) = (index, start, stage, sets, UInt64(seed))
    try model.freeze(["*"], false)
    try OpticalFlow.freeze(model, stage.learning.freeze, key: "\(section)learning.freeze")
    optimizer = try AdamW(model.parameters(), stage.optimizer, groups: stage.learning.groups)
  }

  /// The batch of a step of this stage, which counts from 0. The order of the data and its random changes depend on the seed and this step.
  mutating func samples(at step: Int) throws -> [FlowSample] {
    if loader == nil || nextStep != step { loader = makeLoader(startingAt: step) }
    nextStep = step + 1
    guard let samples = try loader?.next() else { stop("FlowCourse: the loader has no batch for step \(step)") }
    return samples
  }

  private func makeLoader(startingAt step: Int) -> Loader<FlowSample> {
    let (data, learning) = (sets.training, stage.learning)
    let order = BatchOrder(count: data.count, batchSize: learning.batchSize, seed: seed)
    return Loader(order, workers: learning.workers, startingAt: step) { index, random in
      var sample = data.augmentation(at: index)(try data.sample(at: index), random: &random)
      if learning.addNoise { sample.addNoise(&random) }
      return sample
    }
  }
}

/// What a stage learns from and is judged by.
struct FlowSets: Sendable {
  let training: FlowMixture
  let validation: (any FlowDataset)?

  /// - Parameter section: the key of the stage in the config, with a point behind; empty for a run in one piece.
  init(_ stage: FlowStage, section: String) throws {
    guard let training = try stage.data.open("\(section)data", augmentation: stage.augmentation) else {
      throw Failure(.usage, at: "\(section)data.format", "'none' leaves nothing to learn from",
                    remedy: "Choose a format with data, such as flying_chairs.")
    }
    self.training = training
    validation = try stage.validation.open("\(section)validation")
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
