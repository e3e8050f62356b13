import Base
import Data
import Models
import Networks
import Tensors
import Training

/// The losses of a step's phases, for given networks.
struct AdversarialPhases {
  private let model: InpaintingNetworks
  private let config: InpaintingConfig
  private let perception: PerceptualLoss?

  /// What a phase learns from, and what the log shows of it.
  struct Outcome {
    let loss: Tensor
    let metrics: Metrics
    var output: MATGenerator.Output?
    var fake: MATDiscriminator.Logits?
    var real: MATDiscriminator.Logits?
    /// R₁ of both stages.
    var penalty: (image: Tensor, firstStage: Tensor)?
  }

  init(_ model: InpaintingNetworks, _ config: InpaintingConfig, _ perception: PerceptualLoss?) {
    (self.model, self.config, self.perception) = (model, config, perception)
  }

  /// All that is random in a phase.
  struct Chance {
    let draws: MATGenerator.Draws
    let noise: SynthesisNoise
    /// What the noise of maps is drawn from.
    var random = Random(seed: 0, stream: .noise)
    /// In training the running mean of styles is updated.
    var mode = Pass.Mode.training
  }

  /// The draws of a phase in training.
  func chance(_ batch: InpaintingBatch, _ random: Random) -> Chance {
    var random = random
    let draws = model.generator.draws(for: batch.images, styleMixing: config.loss.styleMixing, &random)
    return Chance(draws: draws, noise: .random, random: random)
  }

  func completed(
    _ batch: InpaintingBatch, _ chance: Chance, seen: MATGenerator.Observer = { _, _, _ in }
  ) -> MATGenerator.Output {
    model.generator(batch.images, mask: batch.masks, chance.draws, truncation: config.loss.truncation, noise: chance.noise,
                    Pass(chance.mode, random: chance.random), seen: seen)
  }

  /// What the generator loses: by the discriminator, in features, and in pixels.
  func generator(_ batch: InpaintingBatch, _ chance: Chance) throws -> Outcome {
    let output = completed(batch, chance)
    let logits = model.discriminator(output.image, mask: batch.masks, firstStage: output.firstStage)
    let adversarial = MATLoss.generator(logits)
    var terms: [(name: String, weight: Double, value: Tensor)] = [("adversarial", 1, adversarial)]
    if let perception { terms.append(("perceptual", config.loss.perceptual, perception(output.image, batch.images))) }
    terms.append(("l1", config.loss.pixel, meanAbsoluteError(output.image, batch.images)))
    terms.append(("l1_first_stage", config.loss.pixelFirstStage, meanAbsoluteError(output.firstStage, batch.images)))
    try requireFinite(terms.map { ($0.name, $0.value) }, of: "generator", batch, chance)
    var metrics: Metrics = [:]
    for (name, _, value) in terms where name != "adversarial" { metrics[name] = value.item }
    let loss = terms.dropFirst().filter { $0.weight > 0 }.reduce(adversarial) { $0 + $1.weight * $1.value }
    metrics["loss_g"] = loss.item
    return Outcome(loss: loss, metrics: metrics, output: output, fake: logits)
  }

  /// What the discriminator loses. Nothing of the generator but its running mean of styles changes.
  func discriminator(_ batch: InpaintingBatch, _ chance: Chance) throws -> Outcome {
    let output = noGradient { completed(batch, chance) }
    return try discriminator(batch, fake: output.image.detached(), firstStage: output.firstStage.detached(), chance)
  }

  /// The same for given completions.
  func discriminator(_ batch: InpaintingBatch, fake image: Tensor, firstStage: Tensor, _ chance: Chance? = nil) throws -> Outcome {
    let fake = model.discriminator(image, mask: batch.masks, firstStage: firstStage)
    let real = model.discriminator(batch.images, mask: batch.masks, firstStage: batch.images)
    let loss = MATLoss.discriminator(fake: fake, real: real)
    func mean(_ logits: MATDiscriminator.Logits) -> Double { (logits.image.mean().item + logits.firstStage.mean().item) / 2 }
    try requireFinite([("adversarial", loss)], of: "discriminator", batch, chance)
    return Outcome(loss: loss, metrics: ["loss_d": loss.item, "logit_real": mean(real), "logit_fake": mean(fake)], fake: fake, real: real)
  }

  /// The gradient penalty times its interval: γ / 2 · (R₁ of both stages) · interval.
  func gradientPenalty(_ batch: InpaintingBatch) throws -> Outcome {
    let penalty = MATLoss.r1(model.discriminator, real: batch.images, mask: batch.masks)
    let sum = penalty.image + penalty.firstStage
    try requireFinite([("r1", penalty.image), ("r1_first_stage", penalty.firstStage)], of: "discriminator", batch, nil)
    return Outcome(loss: (config.loss.r1Gamma / 2 * Double(config.loss.r1Interval)) * sum, metrics: ["r1": sum.item], penalty: penalty)
  }

  /// - Throws: `.diverged` with the network, the term of its loss that is not finite, and the first layer whose output is not.
  private func requireFinite(
    _ terms: [(name: String, value: Tensor)], of network: String, _ batch: InpaintingBatch, _ chance: Chance?
  ) throws {
    guard let term = terms.first(where: { !$0.value.isFinite }) else { return }
    let place = firstBrokenPart(batch, chance) ?? "no part of the generator: in the discriminator"
    throw Failure(.diverged, at: network, "its loss '\(term.name)' is \(term.value.item); the first output that is not finite: \(place)",
                  remedy: "A lower learning rate, or a larger loss.r1_gamma, may help; the last checkpoint is as it was.")
  }

  private func firstBrokenPart(_ batch: InpaintingBatch, _ chance: Chance?) -> String? {
    if !batch.images.isFinite { return "the batch itself" }
    for (network, parameters) in [("generator", model.generator.parameters()), ("discriminator", model.discriminator.parameters())] {
      if let broken = parameters.first(where: { !$0.parameter.value.isFinite }) { return "the parameter \(broken.name) of the \(network)" }
    }
    guard var chance else { return nil }
    chance.mode = .evaluation
    var first: String?
    noGradient {
      _ = completed(batch, chance) { name, features, _ in
        if first == nil, !features.isFinite { first = "generator, \(name)" }
      }
    }
    return first
  }
}
