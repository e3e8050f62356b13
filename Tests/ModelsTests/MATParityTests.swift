import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport

/// MAT against a definition of its own in PyTorch 2.13: `Tests/Fixtures/mat_reference.py` and `make_mat.py`.
@Suite("MAT equals PyTorch") struct MATParityTests {
  @Test("generated inputs") func inputs() throws {
    let it = try MATFixture(.float32)
    for (name, content) in it.inputBytes {
      #expect(FixtureHash.fnv1a64(content) == it.fixture.file.metadata["fnv1a64.\(name)"].flatMap { UInt64($0, radix: 16) }, "\(name)")
    }
  }

  @Test("every part with its mask, and both pictures, at ψ 1 and ½", arguments: Precision.allCases)
  func generator(_ precision: Precision) throws {
    let it = try MATFixture(precision)
    var seen: [(name: String, features: Tensor, mask: Tensor?)] = []
    let one = it.generator(it.image, mask: it.mask, it.draws("one"), noise: .constant, .evaluation) { seen.append(($0, $1, $2)) }
    #expect(Set(seen.map(\.name)) == it.names("seen"))
    #expect(Set(seen.filter { $0.mask != nil }.map(\.name)) == it.names("mask"))
    for (name, features, mask) in seen {
      try it.expect("seen", name, features.channelsFirst.doubles)
      if let mask { try it.expect("mask", name, mask.channelsFirst.doubles) }
    }
    try it.expect("output", "image", one.image.channelsFirst.doubles)
    try it.expect("output", "image_stage1", one.firstStage.channelsFirst.doubles)
    try it.expect("output", "ws", try #require(one.ws).doubles)
    let half = it.generator(it.image, mask: it.mask, it.draws("half"), truncation: 0.5, noise: .constant, .evaluation)
    try it.expect("output", "half.image", half.image.channelsFirst.doubles)
    try it.expect("output", "half.ws", try #require(half.ws).doubles)
  }

  @Test("logits, losses, and the gradients of every phase", arguments: Precision.allCases) func losses(_ precision: Precision) throws {
    let it = try MATFixture(precision)
    let one = it.generator(it.image, mask: it.mask, it.draws("one"), noise: .constant, .evaluation)
    let fake = it.discriminator(one.image, mask: it.mask, firstStage: one.firstStage)
    let detached = it.discriminator(one.image.detached(), mask: it.mask, firstStage: one.firstStage.detached())
    let real = it.discriminator(it.image, mask: it.mask, firstStage: it.image)
    for (name, logits) in [("fake", fake), ("real", real)] {
      try it.expect("output", "logits.\(name)", logits.image.doubles)
      try it.expect("output", "logits_stage1.\(name)", logits.firstStage.doubles)
    }
    let (lossG, lossD) = (MATLoss.generator(fake), MATLoss.discriminator(fake: detached, real: real))
    let r1 = MATLoss.r1(it.discriminator, real: it.image, mask: it.mask)
    for (name, value) in [("Gmain", lossG), ("Dmain", lossD), ("r1", r1.image), ("r1_stage1", r1.firstStage)] {
      try it.expectLoss("loss", name, value)
    }
    var found: Set<String> = []
    func compare(_ prefix: String, _ module: any Module, _ loss: Tensor) throws {
      let gradients = loss.gradients(of: module.parameters().map(\.parameter.value))
      for (name, parameter) in module.parameters() {
        guard let gradient = gradients[parameter] else { continue }
        found.insert(prefix + name)
        if it.nullGradients.contains(prefix + name) { continue }
        try it.expect("grad", prefix + name, parameter.layout.official(gradient).doubles)
      }
    }
    try compare("G.", it.generator, lossG)
    try compare("D.Dmain.", it.discriminator, lossD)
    try compare("D.Dreg.", it.discriminator, (r1.image + r1.firstStage) * (it.settings.gamma / 2))
    #expect(found == it.names("grad"), "\(found.symmetricDifference(it.names("grad")).sorted().prefix(5))")
  }

  /// An optimiser of a network whose every `every`-th step is followed by one of a regulariser.
  private func optimizer(_ module: any Module, every: Int, _ settings: MATFixture.Settings) throws -> (Adam, rate: Double) {
    let (config, factor) = Adam.Config(beta1: 0, beta2: settings.beta2).lazilyRegularized(every: every)
    return (try Adam(module.parameters(), config), settings.rate * factor)
  }

  @Test("two alternating iterations with both optimisers, the running mean of w and the average", arguments: Precision.allCases)
  func training(_ precision: Precision) throws {
    let it = try MATFixture(precision)
    let settings = it.settings
    let (optimizerG, rateG) = try optimizer(it.generator, every: settings.generatorEvery, settings)
    let (optimizerD, rateD) = try optimizer(it.discriminator, every: settings.discriminatorEvery, settings)
    let average = MovingAverage(of: it.generator, .init(decay: settings.average))
    func update(_ optimizer: Adam, _ rate: Double, _ name: String, _ loss: Tensor) throws {
      try it.expectLoss("iteration", name, loss)
      optimizer.step(loss.gradients(of: optimizer.parameters.map(\.parameter.value)), learningRate: rate)
    }
    func completed(_ name: String) -> MATGenerator.Output {
      it.generator(it.image, mask: it.mask, it.draws(name), truncation: 0.5, noise: .constant, Pass(.training))
    }
    func logits(_ output: MATGenerator.Output) -> MATDiscriminator.Logits {
      it.discriminator(output.image, mask: it.mask, firstStage: output.firstStage)
    }
    for i in 0..<2 {
      try update(optimizerG, rateG, "it\(i).Gmain", MATLoss.generator(logits(completed("it\(i).Gmain"))))
      let output = noGradient { completed("it\(i).Dmain") }
      let real = it.discriminator(it.image, mask: it.mask, firstStage: it.image)
      try update(optimizerD, rateD, "it\(i).Dmain", MATLoss.discriminator(fake: logits(output), real: real))
      if i % settings.discriminatorEvery == 0 {
        let r1 = MATLoss.r1(it.discriminator, real: it.image, mask: it.mask)
        let factor = settings.gamma / 2 * Double(settings.discriminatorEvery)
        try update(optimizerD, rateD, "it\(i).Dreg", (r1.image + r1.firstStage) * factor)
      }
      average.update()
    }
    let networks: [(String, any Module)] = [("G.", it.generator), ("D.", it.discriminator)]
    for (prefix, module) in networks { try compare(it, "param", prefix, module) }
    try average.withAverages { try compare(it, "ema", "G.", it.generator) }
  }

  private func compare(_ it: MATFixture, _ group: String, _ prefix: String, _ module: any Module) throws {
    let state = module.stateDictionary()
    let names = it.names(group).filter { $0.hasPrefix(prefix) }
    #expect(names.count > 50)
    for name in names.sorted() where !it.nullGradients.contains(name) {
      let value = try #require(state[String(name.dropFirst(prefix.count))]?.tensor, "\(name)")
      try it.expect(group, name, value.doubles)
    }
  }
}
