import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport

/// The attention that pictures show, against the masks that the network keeps.
@Suite("Window attention of MAT") struct WindowAttentionTests {
  @Test("weights add up to 1, and tokens of the hole get none", arguments: [0, 1, 2, 3, 4]) func weights(_ stage: Int) throws {
    var random = Random(seed: 5, stream: .test)
    let config = MAT.Config.narrow()
    let model = MATGenerator(config, &random)
    let size = config.resolution
    let image = Tensor.uniform([1, size, size, 3], from: -1, to: 1, &random)
    // The right half is a hole.
    let mask = Tensor((0..<size * size).map { $0 % size < size / 2 ? 1 : 0 }, shape: [1, size, size, 1])
    var before: (features: Tensor, mask: Tensor?)?
    var after: Tensor?
    let draws = model.draws(for: image, &random)
    _ = model(image, mask: mask, draws, noise: .none, .evaluation) { name, features, mask in
      if name == "first_stage.tran.\(stage).blocks.0" { before = (features, mask) }
      if name == "first_stage.tran.\(stage).blocks.1" { after = features }
    }
    let input = try #require(before)
    let attention = try #require(model.attention(stage: stage, block: 1, of: input.features, mask: input.mask))
    #expect(attention.height == input.features.shape[1] && attention.width == input.features.shape[2])
    #expect(after?.shape == input.features.shape)
    for (row, column) in [(0, 0), (attention.height - 1, attention.width - 1), (attention.height / 2, 1)] {
      let weights = attention.weights(ofRow: row, column: column)
      #expect(weights.count == attention.window * attention.window)
      #expect(abs(weights.reduce(0, +) - 1) < 1e-5 && weights.allSatisfy { $0 >= 0 })
    }
    #expect(model.attention(stage: stage, block: 9, of: input.features, mask: nil) == nil)
  }

  @Test("a token looks only at valid tokens of its window") func validity() throws {
    var random = Random(seed: 6, stream: .test)
    let config = MAT.Config.narrow()
    let model = MATGenerator(config, &random)
    let (grid, width) = (config.body(at: 0), config.width)
    let tokens = Tensor.uniform([1, grid, grid, width], from: -1, to: 1, &random)
    let mask = Tensor((0..<grid * grid).map { $0 % 2 == 0 ? 1 : 0 }, shape: [1, grid, grid, 1])
    let attention = try #require(model.attention(stage: 0, block: 0, of: tokens, mask: mask))
    let weights = attention.weights(ofRow: 1, column: 2)
    #expect(attention.shift == 0)
    for (token, weight) in weights.enumerated() { #expect((weight > 1e-6) == (token % attention.window % 2 == 0), "\(token)") }
    var convolution = config
    convolution.body = .convolution
    #expect(MATGenerator(convolution, &random).attention(stage: 0, block: 0, of: tokens, mask: mask) == nil)
  }
}
