import Base
import Models
import Networks
import Tensors
import Training

/// What all of MAT's workloads begin with: both networks as published, a picture with a hole, and what a forward pass draws.
private struct MATScene {
  let generator: MATGenerator
  let discriminator: MATDiscriminator
  let image: Tensor
  let mask: Tensor
  let draws: MATGenerator.Draws

  init(batch: Int, resolution: Int) {
    var random = Random(seed: 1, stream: .test)
    let config = MAT.Config(resolution: resolution)
    generator = MATGenerator(config, &random)
    discriminator = MATDiscriminator(config, &random)
    image = .uniform([batch, resolution, resolution, 3], from: -1, to: 1, &random)
    let range = resolution / 8..<resolution * 3 / 4
    let known = (0..<resolution * resolution).map { range.contains($0 / resolution) && range.contains($0 % resolution) ? Float(0) : 1 }
    mask = Tensor(Array(repeating: known, count: batch).flatMap { $0 }, shape: [batch, resolution, resolution, 1])
    draws = generator.draws(for: image, &random)
  }

  func completed(_ pass: Pass = Pass(.training)) -> MATGenerator.Output {
    generator(image, mask: mask, draws, truncation: 0.5, noise: .constant, pass)
  }

  func logits(_ output: MATGenerator.Output) -> MATDiscriminator.Logits {
    discriminator(output.image, mask: mask, firstStage: output.firstStage)
  }

  var real: MATDiscriminator.Logits { discriminator(image, mask: mask, firstStage: image) }

  /// The authors' optimiser of a network that shares its moments with a regulariser.
  static func learner(_ module: any Module, every: Int) throws -> Learner {
    let (config, factor) = Adam.Config(beta1: 0, beta2: 0.99).lazilyRegularized(every: every)
    var optimizer = OptimizerConfig(.adam, learningRate: 1e-3 * factor)
    (optimizer.beta1, optimizer.beta2) = (config.beta1, config.beta2)
    return try Learner(LearnerPlan("", module, optimizer, Schedule(.constant)), steps: 1)
  }
}

/// MAT's generator as published: forward, and the gradients of all its parameters for gradients of both pictures.
struct MATGeneratorWorkload: Workload {
  static let kind = "mat_generator"

  let batch, resolution: Int

  func prepared() -> PreparedWorkload {
    let scene = MATScene(batch: batch, resolution: resolution)
    var random = Random(seed: 2, stream: .test)
    let seed = Tensor.normal(scene.image.shape, &random)
    func loss() -> Tensor {
      let output = scene.completed()
      return ((output.image + output.firstStage) * seed).sum()
    }
    let operations = loss().recordedOperations
    MemoryPool.trim()
    return PreparedWorkload(operations: operations) { _ = loss().gradients() }
  }
}

/// One alternating step of MAT without the penalty, which is due in one step of 16: losses, gradients and Adam of both networks, and the
/// average.
struct MATStepWorkload: Workload {
  static let kind = "mat_step"

  let batch, resolution: Int

  func prepared() throws -> PreparedWorkload {
    let scene = MATScene(batch: batch, resolution: resolution)
    let learnerG = try MATScene.learner(scene.generator, every: 4)
    let learnerD = try MATScene.learner(scene.discriminator, every: 16)
    let average = MovingAverage(of: scene.generator, .init(decay: 0.998))
    func lossG() -> Tensor { MATLoss.generator(scene.logits(scene.completed())) }
    func lossD() -> Tensor { MATLoss.discriminator(fake: scene.logits(noGradient { scene.completed() }), real: scene.real) }
    let operations = lossG().recordedOperations + lossD().recordedOperations
    MemoryPool.trim()
    return PreparedWorkload(operations: operations) {
      try learnerG.update(lossG(), at: 0)
      try learnerD.update(lossD(), at: 0)
      average.update()
    }
  }
}

/// The penalty on the discriminator's slope, its gradients and Adam: what one step of 16 has besides.
struct MATPenaltyWorkload: Workload {
  static let kind = "mat_penalty"

  let batch, resolution: Int

  func prepared() throws -> PreparedWorkload {
    let scene = MATScene(batch: batch, resolution: resolution)
    let learner = try MATScene.learner(scene.discriminator, every: 16)
    func loss() -> Tensor {
      let r1 = MATLoss.r1(scene.discriminator, real: scene.image, mask: scene.mask)
      return (r1.image + r1.firstStage) * (5 * 16)
    }
    let operations = loss().recordedOperations
    MemoryPool.trim()
    return PreparedWorkload(operations: operations) { try learner.update(loss(), at: 0) }
  }
}
