import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// DeepSORT's appearance network against PyTorch, in float64: forward, loss, gradients, running statistics.
@Suite("DeepSORT's appearance network") struct AppearanceNetworkTests {
  /// Sums of some thousand products in ten layers; a wrong formula is off by far more.
  private static let bounds: Fixture.Bounds = (1e-9, 1e-9)
  private static let cases = BuildKind.some(
    ["batch_hard", "contrastive", "same", "triplet", "valid", "verification", "published"], inDebug: 6)

  private func loss(_ settings: Fixture.Settings) throws -> AppearanceLoss {
    var loss = AppearanceLoss(try #require(AppearanceLoss.Kind.named(settings.string("kind"))))
    loss.identities = 3
    if settings.has("margin") { loss.margin = try settings.double("margin") }
    if settings.has("soft") { loss.softMargin = try settings.bool("soft") }
    if settings.has("balanced") { loss.balanced = try settings.bool("balanced") }
    return loss
  }

  private func learning(_ settings: Fixture.Settings) throws -> (module: AppearanceLearning, loss: AppearanceLoss) {
    var config = AppearanceNetwork.Config(), random = Random(seed: 1, stream: .test)
    (config.height, config.width) = (try settings.int("height"), try settings.int("width"))
    (config.channels, config.features) = (try settings.int("channels"), try settings.int("features"))
    config.pooling = try #require(AppearanceNetwork.Config.Pooling.named(settings.string("pooling")))
    config.normDecay = try settings.double("decay")
    let loss = try loss(settings), module = AppearanceLearning(config, loss, &random)
    module.convert(to: .float64)
    let entries = module.stateDictionary().entries.map { entry in
      Safetensors.Entry(entry.name, Tensor(FixtureHash.weights(entry.name, entry.shape), shape: entry.shape, precision: .float64))
    }
    try module.load(StateDictionary(entries))
    return (module, loss)
  }

  @Test("equals PyTorch in training", arguments: cases) func training(_ item: String) throws {
    let fixture = try Fixture("appearance"), settings = try fixture.settings(item)
    let (module, loss) = try learning(settings), config = module.network.config
    let labels = try fixture.integers("\(item)/labels"), key = FixtureHash.key("image.\(item)")
    let shape = [labels.count, 3, config.height, config.width]
    let values = (0..<shape.reduce(1, *)).map { (256 * FixtureHash.fraction(key, $0)).rounded(.down) }
    let images = Tensor(values, shape: shape, precision: .float64).channelsLast
    let features = module.network(images, Pass(.training, dropout: false))
    let total = loss(features, labels, module.head).total
    #expect(difference(features.detached(), try fixture.tensor("\(item)/output"), absolute: 1e-10) == nil)
    #expect(abs(total.item - (try fixture.tensor("\(item)/loss").item)) < 1e-10)
    let gradients = total.gradients()
    var compared = 0
    for (name, parameter) in module.parameters() where parameter.value.count < 200_000 {
      let gradient = parameter.layout.official(try #require(gradients[parameter], "no gradient for \(name)"))
      #expect(try fixture.mismatch("\(item)/grad", name, gradient.doubles, Self.bounds) == nil)
      compared += 1
    }
    #expect(compared >= 36)
    for (name, buffer) in module.buffers() {
      #expect(try fixture.mismatch("\(item)/buffer", name, buffer.value.doubles, (1e-8, 1e-8)) == nil)
    }
    let evaluated = module.network(images, .evaluation)
    #expect(difference(evaluated.detached(), try fixture.tensor("\(item)/evaluation"), absolute: 1e-10) == nil)
    #expect(evaluated.squared().sum([-1]).doubles.allSatisfy { abs($0 - 1) < 1e-6 })
  }

  @Test("the published network has 2,800,864 trained numbers and 128 of the ball, and PyTorch's names and shapes") func names() throws {
    struct Entry: Decodable {
      let name: String
      let shape: [Int]
    }
    var random = Random(seed: 1, stream: .test)
    let network = AppearanceNetwork(AppearanceNetwork.Config(), &random)
    #expect(network.parameterCount == 2_800_864 + 128)
    let expected: [Entry] = try Fixture.json("appearance_names.json")
    let entries = network.stateDictionary().entries
    #expect(entries.map(\.name) == expected.map(\.name))
    #expect(entries.map(\.shape) == expected.map(\.shape))
  }

  @Test("both kinds of pooling give 32x16, 16x8 and the same parameters") func pooling() {
    for pooling in AppearanceNetwork.Config.Pooling.allCases {
      var config = AppearanceNetwork.Config(), random = Random(seed: 1, stream: .test)
      (config.height, config.width, config.channels, config.features, config.pooling) = (64, 32, 2, 8, pooling)
      config.initial = .he
      let network = AppearanceNetwork(config, &random)
      let y = network(.uniform([3, 64, 32, 3], from: 0, to: 255, &random), .evaluation)
      #expect(y.shape == [3, 8] && y.isFinite)
      #expect(y.squared().sum([-1]).doubles.allSatisfy { abs($0 - 1) < 1e-4 })
    }
  }

  @Test("published first values lie within two deviations") func initial() {
    var config = AppearanceNetwork.Config(), random = Random(seed: 1, stream: .test)
    (config.height, config.width) = (32, 16)
    let network = AppearanceNetwork(config, &random)
    let values = network.parameters().filter { $0.parameter.layout != .plain }.flatMap { $0.parameter.value.doubles }
    #expect(values.allSatisfy { abs($0) <= 2e-3 } && (values.max() ?? 0) > 1.9e-3)
    // The variance of a normal distribution cut at two deviations is 0.7737.
    let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    #expect(abs(variance / 1e-6 - 0.7737) < 0.02)
  }

  @Test("what a loss learned is left out of the network's weights") func official() throws {
    var random = Random(seed: 1, stream: .test), config = AppearanceNetwork.Config()
    (config.height, config.width, config.channels) = (32, 16, 2)
    var loss = AppearanceLoss()
    loss.identities = 5
    let learning = AppearanceLearning(config, loss, &random)
    #expect(learning.stateDictionary()["head.weight"]?.shape == [5, 128] && learning.stateDictionary()["head.scale"]?.shape == [1])
    let official = try AppearanceNetwork.official(learning.stateDictionary(), from: "w")
    #expect(official.names == learning.network.stateDictionary().names)
    let scale = try #require(learning.head.scale).value.softplus().item
    #expect(abs(scale - 10) < 1e-5)
  }
}
