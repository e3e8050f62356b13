import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport

/// What holds for every variant and size of MAT.
@Suite("MAT") struct MATTests {
  /// Ablations of the paper's table 1, by letter.
  enum Variant: String, CaseIterable, Sendable {
    case full = "A", convolutions = "B", original = "C", allTokens = "D", noNoise = "E", lowResolution = "F"

    var config: MAT.Config {
      var config = MAT.Config.narrow()
      switch self {
      case .full: break
      case .convolutions: config.body = .convolution
      case .original: config.block = .original
      case .allTokens: config.attention = .allTokens
      case .noNoise: config.noiseStyle = false
      case .lowResolution: config.bodyResolution = 16
      }
      return config
    }
  }

  /// A picture with a hole in its middle.
  private static func scene(_ size: Int) -> (image: Tensor, mask: Tensor) {
    var random = Random(seed: 4, stream: .test)
    let hole = size / 4..<size * 7 / 8
    let known = (0..<size * size).map { hole.contains($0 / size) && hole.contains($0 % size) ? Float(0) : 1 }
    return (.uniform([1, size, size, 3], from: -1, to: 1, &random), Tensor(known, shape: [1, size, size, 1]))
  }

  private static func generator(_ config: MAT.Config) -> MATGenerator {
    var random = Random(seed: 1, stream: .initialization)
    return MATGenerator(config, &random)
  }

  private static func draws(_ generator: MATGenerator, _ image: Tensor, seed: UInt64, mixing: Double = 0) -> MATGenerator.Draws {
    var random = Random(seed: seed, stream: .noise)
    return generator.draws(for: image, styleMixing: mixing, &random)
  }

  private static func largestDifference(_ a: Tensor, _ b: Tensor, where mask: Tensor) -> Double { ((a - b).abs() * mask).max().item }

  @Test("known pixels stay bit for bit; another z changes the hole", arguments: Variant.allCases) func completion(_ variant: Variant) {
    let generator = Self.generator(variant.config), (image, mask) = Self.scene(64)
    let outputs = [1, 2].map { seed in
      noGradient { generator(image, mask: mask, Self.draws(generator, image, seed: seed), noise: .constant, .evaluation) }
    }
    for output in outputs {
      for picture in [output.image, output.firstStage] {
        #expect(picture.shape == image.shape && picture.isFinite)
        #expect(Self.largestDifference(picture, image, where: mask) == 0)
      }
    }
    let change = Self.largestDifference(outputs[0].image, outputs[1].image, where: 1 - mask)
    #expect(variant == .noNoise ? change == 0 : change > 0.1, "\(change)")
    #expect((outputs[0].ws == nil) == (variant == .noNoise))
  }

  @Test("every parameter learns in every variant", arguments: Variant.allCases) func gradients(_ variant: Variant) {
    let generator = Self.generator(variant.config), (image, mask) = Self.scene(64)
    var random = Random(seed: 2, stream: .initialization)
    let discriminator = MATDiscriminator(variant.config, &random)
    let output = generator(image, mask: mask, Self.draws(generator, image, seed: 3, mixing: 1), truncation: 0.5, Pass(.training))
    let loss = MATLoss.generator(discriminator(output.image, mask: mask, firstStage: output.firstStage))
    let gradients = loss.gradients(of: generator.parameters().map(\.parameter.value))
    let idle = generator.parameters().filter { gradients[$0.parameter] == nil }.map(\.name)
    #expect(idle.isEmpty, "\(idle.prefix(5))")
    let own = MATLoss.discriminator(
      fake: discriminator(output.image.detached(), mask: mask, firstStage: output.firstStage.detached()),
      real: discriminator(image, mask: mask, firstStage: image))
    let ofDiscriminator = own.gradients(of: discriminator.parameters().map(\.parameter.value))
    #expect(discriminator.parameters().allSatisfy { ofDiscriminator[$0.parameter] != nil })
  }

  @Test("convolutions take the place of the blocks, layer norms that of the fusion") func names() {
    func names(_ variant: Variant) -> Set<String> { Set(Self.generator(variant.config).parameters().map(\.name)) }
    let block = "synthesis.first_stage.tran.0.blocks.0"
    #expect(names(.full).isSuperset(of: ["\(block).attn.q.weight", "\(block).fuse.weight", "\(block).mlp.fc1.weight"]))
    #expect(names(.convolutions).contains("\(block).conv.weight") && !names(.convolutions).contains("\(block).attn.q.weight"))
    #expect(names(.original).contains("\(block).norm1.weight") && !names(.original).contains("\(block).fuse.weight"))
    #expect(names(.allTokens) == names(.full))
    #expect(!names(.noNoise).contains { $0.hasPrefix("mapping") || $0.contains("to_square") || $0.contains("ws_style") })
  }

  /// Where the body begins and ends, convolutions on the way there, styles, and the coarsest tokens.
  @Test("grids and channels follow from the resolution", arguments: [
    (64, [32, 16, 8, 16, 32], 6, 512), (128, [64, 32, 16, 32, 64], 8, 256), (256, [64, 32, 16, 32, 64], 10, 128),
    (512, [64, 32, 16, 32, 64], 12, 64),
  ])
  func grids(_ resolution: Int, _ grids: [Int], _ styles: Int, _ channels: Int) {
    let config = MAT.Config(resolution: resolution)
    #expect((0..<5).map(config.body(at:)) == grids)
    #expect(config.styleCount == styles && config.channels(at: resolution) == channels)
    #expect(config.problems().isEmpty)
  }

  @Test("settings out of range are named") func problems() {
    var config = MAT.Config(resolution: 96)
    (config.heads, config.windows, config.bodyResolution, config.minibatchGroup) = (7, [8, 16, 16, 16], 24, 0)
    #expect(Set(config.problems().map(\.key)) == ["resolution", "width", "windows", "body_resolution", "minibatch_group"])
  }

  @Test("a picture of twice the resolution is completed with noise of its own") func largerPicture() {
    let generator = Self.generator(.narrow()), (image, mask) = Self.scene(128)
    let draws = Self.draws(generator, image, seed: 5)
    #expect(draws.keepFirstStage.shape == [1, 16, 16, 12] && draws.keepSecondStage.shape == [1, 32, 32, 32])
    let output = noGradient { generator(image, mask: mask, draws, .evaluation) }
    #expect(output.image.shape == image.shape && output.image.isFinite)
    #expect(Self.largestDifference(output.image, image, where: mask) == 0)
  }

  @Test("draws follow from the seed; mixing maps are 0 and 1 in equal parts") func draws() {
    let generator = Self.generator(.narrow()), image = Self.scene(64).image
    let (a, b) = (Self.draws(generator, image, seed: 6, mixing: 1), Self.draws(generator, image, seed: 6, mixing: 1))
    #expect(a.z.isIdentical(to: b.z) && a.keepSecondStage.isIdentical(to: b.keepSecondStage) && a.mixing?.cutoff == b.mixing?.cutoff)
    #expect((1..<6).contains(a.mixing?.cutoff ?? 0) && Self.draws(generator, image, seed: 6).mixing == nil)
    let values = a.keepSecondStage.doubles
    #expect(Set(values) == [0, 1])
    #expect(abs(a.keepSecondStage.mean().item - 0.5) < 4 * 0.5 / Double(values.count).squareRoot())
  }

  @Test("the running mean of w follows training alone, and truncation leads there") func runningMean() throws {
    let generator = Self.generator(.narrow()), (image, mask) = Self.scene(64)
    let draws = Self.draws(generator, image, seed: 7)
    func average() throws -> [Double] { try #require(generator.stateDictionary()["mapping.w_avg"]?.tensor).doubles }
    func ws(_ truncation: Double, _ pass: Pass) throws -> [Double] {
      let output = noGradient { generator(image, mask: mask, draws, truncation: truncation, noise: .none, pass) }
      return Array(try #require(output.ws).doubles.prefix(16))
    }
    let w = try ws(1, .evaluation)
    #expect(try average() == Array(repeating: 0, count: 16))
    _ = try ws(1, Pass(.training))
    #expect(try zip(average(), w).allSatisfy { abs($0 - 0.005 * $1) < 1e-6 })
    #expect(try zip(ws(0, .evaluation), average()).allSatisfy { abs($0 - $1) < 1e-6 })
  }
}
