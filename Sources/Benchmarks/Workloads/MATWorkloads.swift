import Base
import Models
import Networks
import Tensors
import Training

/// What MAT's workloads see: a picture with a hole.
private struct MATScene {
  let config: MAT.Config
  let image: Tensor
  let mask: Tensor

  init(batch: Int, resolution: Int, _ random: inout Random) {
    config = MAT.Config(resolution: resolution)
    image = .uniform([batch, resolution, resolution, 3], from: -1, to: 1, &random)
    let range = resolution / 8..<resolution * 3 / 4
    let known = (0..<resolution * resolution).map { range.contains($0 / resolution) && range.contains($0 % resolution) ? Float(0) : 1 }
    mask = Tensor(Array(repeating: known, count: batch).flatMap { $0 }, shape: [batch, resolution, resolution, 1])
  }

  /// A forward pass of the generator as published, whose draws are the same each time.
  func completion(_ random: inout Random) -> (generator: MATGenerator, completed: () -> MATGenerator.Output) {
    let generator = MATGenerator(config, &random)
    let draws = generator.draws(for: image, &random)
    return (generator, { generator(image, mask: mask, draws, truncation: 0.5, noise: .constant, Pass(.training)) })
  }

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
    var random = Random(seed: 1, stream: .test)
    let scene = MATScene(batch: batch, resolution: resolution, &random)
    let (_, completed) = scene.completion(&random)
    let seed = Tensor.normal(scene.image.shape, &random)
    func loss() -> Tensor {
      let output = completed()
      return ((output.image + output.firstStage) * seed).sum()
    }
    return PreparedWorkload(operations: loss().recordedOperations) { _ = loss().gradients() }
  }
}

/// One alternating step of MAT without the penalty, which is due in one step of 16: losses, gradients and Adam of both networks, and the
/// average.
struct MATStepWorkload: Workload {
  static let kind = "mat_step"

  let batch, resolution: Int

  func prepared() throws -> PreparedWorkload {
    var random = Random(seed: 1, stream: .test)
    let scene = MATScene(batch: batch, resolution: resolution, &random)
    let (generator, completed) = scene.completion(&random)
    let discriminator = MATDiscriminator(scene.config, &random)
    let learnerG = try MATScene.learner(generator, every: 4)
    let learnerD = try MATScene.learner(discriminator, every: 16)
    let average = MovingAverage(of: generator, .init(decay: 0.998))
    func judged(_ output: MATGenerator.Output) -> MATDiscriminator.Logits {
      discriminator(output.image, mask: scene.mask, firstStage: output.firstStage)
    }
    func lossG() -> Tensor { MATLoss.generator(judged(completed())) }
    func lossD() -> Tensor {
      let real = discriminator(scene.image, mask: scene.mask, firstStage: scene.image)
      return MATLoss.discriminator(fake: judged(noGradient { completed() }), real: real)
    }
    return PreparedWorkload(operations: lossG().recordedOperations + lossD().recordedOperations) {
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
    var random = Random(seed: 1, stream: .test)
    let scene = MATScene(batch: batch, resolution: resolution, &random)
    let discriminator = MATDiscriminator(scene.config, &random)
    let learner = try MATScene.learner(discriminator, every: 16)
    func loss() -> Tensor {
      let r1 = MATLoss.r1(discriminator, real: scene.image, mask: scene.mask)
      return (r1.image + r1.firstStage) * (5 * 16)
    }
    return PreparedWorkload(operations: loss().recordedOperations) { try learner.update(loss(), at: 0) }
  }
}
