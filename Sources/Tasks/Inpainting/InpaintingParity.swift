import Base
import Models
import Networks
import Tensors
import Training
import WeightFiles

/// Comparison with other frameworks: all randomness comes in as tensors, and the noise of maps is the network's own constant.
extension Inpainting: ParityTask {
  /// The tensors of a parity file.
  public struct Inputs {
    let batch: InpaintingBatch
    /// For Gmain.
    let draws: MATGenerator.Draws?
    /// For Dmain and Dreg.
    let fake: (image: Tensor, firstStage: Tensor)?
  }

  static let parityHelp = """
    Inpainting reads image [n, 3, h, w] (-1...1) and mask [n, 1, h, w] (1: known), and for the generator z [n, z_dim], keep_first_stage
    [n, tokens, width] and keep_second_stage [n, channels, 16, 16] (0 and 1). It writes output.image, output.image_stage1, output.ws,
    output.logits and output.logits_stage1, loss.Gmain.* and grad.Gmain.G.*. With fake and fake_stage1 [n, 3, h, w] it writes output.real,
    output.real_stage1, output.fake, output.fake_stage1, loss.Dmain.*, loss.Dreg.* with r1 and r1_stage1, grad.Dmain.D.* and grad.Dreg.D.*.

    A file with it0.image, it0.mask, it0.Gmain.z, it0.Dmain.z, it1.image and so on is trained on, a step for each number; .z_mixing with
    .mixing_cutoff, .keep_first_stage and .keep_second_stage stand beside each z. It writes param.*, buffer.*, ema.G.* and report.it0.*.
    Noise of maps is the network's own; --set loss.truncation=1 compares plain styles.

    Example:
      apus parity configs/mat/celeba-256.yaml --weights w.safetensors --inputs i.safetensors --out o.safetensors --precision float64
    """

  public static func inputs(_ file: ParityInputs, _ model: InpaintingNetworks) throws -> Inputs {
    let batch = try batch(file, "", model)
    let draws = file.contains("z") ? try draws(file, "", batch, model) : nil
    let shape = batch.images.transposed([0, 3, 1, 2]).shape
    let fake = file.contains("fake") ? (image: try picture(file, "fake", shape), firstStage: try picture(file, "fake_stage1", shape)) : nil
    guard draws != nil || fake != nil else {
      throw Failure(.badData, at: file.path, "there is neither z nor fake: nothing to compare",
                    remedy: "z asks for the generator, fake and fake_stage1 ask for the discriminator.")
    }
    return Inputs(batch: batch, draws: draws, fake: fake)
  }

  private static func picture(_ file: ParityInputs, _ name: String, _ shape: [Int]) throws -> Tensor {
    try file.tensor(name, shape: shape).transposed([0, 2, 3, 1])
  }

  private static func batch(_ file: ParityInputs, _ prefix: String, _ model: InpaintingNetworks) throws -> InpaintingBatch {
    let size = model.generator.config.resolution
    let image = try file.tensor(prefix + "image", shape: [nil, 3, size, size])
    let mask = try file.tensor(prefix + "mask", shape: [image.shape[0], 1, size, size])
    guard mask.doubles.allSatisfy({ $0 == 0 || $0 == 1 }) else {
      throw Failure(.badData, at: "\(file.path): \(prefix)mask", "there are other values than 0 (hole) and 1 (known)")
    }
    return InpaintingBatch(images: image.transposed([0, 2, 3, 1]), masks: mask.transposed([0, 2, 3, 1]))
  }

  private static func draws(
    _ file: ParityInputs, _ prefix: String, _ batch: InpaintingBatch, _ model: InpaintingNetworks
  ) throws -> MATGenerator.Draws {
    let config = model.generator.config
    let n = batch.images.shape[0]
    let grid = config.body(at: 2)
    let first = try file.tensor(prefix + "keep_first_stage", shape: [n, grid * grid, config.width])
    let channels = config.channels(at: 16)
    let second = try file.tensor(prefix + "keep_second_stage", shape: [n, channels, 16, 16])
    var mixing: (z: Tensor, cutoff: Int)?
    if file.contains(prefix + "z_mixing") {
      let cutoff = try file.tensor(prefix + "mixing_cutoff", "one number") { $0.reduce(1, *) == 1 }
      mixing = (try file.tensor(prefix + "z_mixing", shape: [n, config.zDim]), Int(cutoff.item))
      guard (1...config.styleCount).contains(Int(cutoff.item)) else {
        throw Failure(.badData, at: "\(file.path): \(prefix)mixing_cutoff",
                      "\(cutoff.item) is out of range, expected 1 to \(config.styleCount)")
      }
      // From the last style on: none is mixed.
      if Int(cutoff.item) == config.styleCount { mixing = nil }
    }
    return MATGenerator.Draws(
      z: try file.tensor(prefix + "z", shape: [n, config.zDim]), mixing: mixing,
      keepFirstStage: first.reshaped(to: [n, grid, grid, config.width]), keepSecondStage: second.transposed([0, 2, 3, 1]))
  }

  public static func phases(_ model: InpaintingNetworks, _ config: InpaintingConfig, _ inputs: Inputs) throws -> [ParityPhase] {
    let learners = try InpaintingTraining.learners(config, model).map { try Learner($0, steps: config.plan.steps) }
    let phases = AdversarialPhases(model, config, try perception(config))
    var list: [ParityPhase] = []
    if let draws = inputs.draws {
      list.append(ParityPhase("Gmain", learner: learners[0], prefix: "G.") {
        let chance = AdversarialPhases.Chance(draws: draws, noise: .constant, mode: .evaluation)
        let outcome = try phases.generator(inputs.batch, chance)
        var extras = logits(outcome.fake, "logits")
        if let output = outcome.output {
          extras += [("output.image", channelsFirst(output.image)), ("output.image_stage1", channelsFirst(output.firstStage))]
            + (output.ws.map { [("output.ws", $0)] } ?? [])
        }
        return ParityPass(outputs: [], losses: [("total", outcome.loss)], extras: extras)
      })
    }
    guard let fake = inputs.fake else { return list }
    list.append(ParityPhase("Dmain", learner: learners[1], prefix: "D.") {
      let outcome = try phases.discriminator(inputs.batch, fake: fake.image, firstStage: fake.firstStage)
      return ParityPass(outputs: [], losses: [("total", outcome.loss)], extras: logits(outcome.real, "real") + logits(outcome.fake, "fake"))
    })
    list.append(ParityPhase("Dreg", learner: learners[1], prefix: "D.") {
      let outcome = try phases.gradientPenalty(inputs.batch)
      let penalty = outcome.penalty.map { [("r1", $0.image), ("r1_stage1", $0.firstStage)] } ?? []
      return ParityPass(outputs: [], losses: [("total", outcome.loss)] + penalty)
    })
    return list
  }

  private static func channelsFirst(_ image: Tensor) -> Tensor { image.detached().transposed([0, 3, 1, 2]) }

  private static func logits(_ logits: MATDiscriminator.Logits?, _ name: String) -> [(name: String, value: Tensor)] {
    logits.map { [("output.\(name)", $0.image), ("output.\(name)_stage1", $0.firstStage)] } ?? []
  }

  // MARK: Training

  public static func training(
    _ file: ParityInputs, _ model: InpaintingNetworks, _ config: InpaintingConfig
  ) throws -> [Safetensors.Entry]? {
    guard file.contains("it0.image") else { return nil }
    let learners = try InpaintingTraining.learners(config, model).map { try Learner($0, steps: config.plan.steps) }
    let phases = AdversarialPhases(model, config, try perception(config))
    let first = try batch(file, "it0.", model)
    let average = MovingAverage(of: model.generator, .init(decay: config.average.decay(batchSize: first.images.shape[0])))
    var entries: [Safetensors.Entry] = []
    var step = 0
    while file.contains("it\(step).image") {
      let batch = try batch(file, "it\(step).", model)
      func chance(_ phase: String) throws -> AdversarialPhases.Chance {
        .init(draws: try draws(file, "it\(step).\(phase).", batch, model), noise: .constant)
      }
      var losses: [(name: String, value: Tensor)] = []
      func update(_ learner: Learner, _ name: String, _ outcome: AdversarialPhases.Outcome) throws {
        losses.append((name, outcome.loss))
        try learner.applyReplacing(learner.gradients(of: outcome.loss), at: step)
      }
      try update(learners[0], "Gmain", phases.generator(batch, chance("Gmain")))
      try update(learners[1], "Dmain", phases.discriminator(batch, chance("Dmain")))
      if InpaintingTraining.isPenaltyDue(config.loss, at: step) { try update(learners[1], "Dreg", phases.gradientPenalty(batch)) }
      average.update()
      entries += losses.map { .init("report.it\(step).\($0.name)", $0.value.detached()) }
      step += 1
    }
    entries += model.parameters().map { .init("param.\($0)", $1.layout.official($1.value)) }
    entries += model.buffers().map { .init("buffer.\($0)", $1.layout.official($1.value)) }
    return entries + average.saved().entries.compactMap { entry in entry.tensor.map { .init("ema.G.\(entry.name)", $0) } }
  }
}
