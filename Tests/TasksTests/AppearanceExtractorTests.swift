import Base
import Data
import Models
import Networks
import Tasks
import Tensors
import Testing
import TestSupport
import Training
import Vision
import WeightFiles

/// The vectors that a tracker asks for.
@Suite("Appearance of boxes") struct AppearanceExtractorTests {
  private func network(seed: UInt64 = 3) -> AppearanceNetwork {
    var config = AppearanceNetwork.Config(), random = Random(seed: seed, stream: .test)
    (config.height, config.width, config.channels, config.features, config.initial) = (32, 16, 4, 8, .he)
    return AppearanceNetwork(config, &random)
  }

  private let boxes = [
    BoundingBox(x: 10, y: 12, width: 15, height: 30), BoundingBox(x: -8, y: 5, width: 30, height: 50), BoundingBox(x: 200, y: 5, width: 9, height: 9),
    BoundingBox(x: 40.5, y: 20.25, width: 20, height: 33.5),
  ]

  @Test("boxes and the crops around them have the same vectors of length 1; a box outside has zeros") func boxesAndCrops() {
    let frame = Image.noise(height: 60, width: 80), extractor = AppearanceExtractor(network())
    let features = extractor.features(of: boxes, in: frame)
    #expect(features.map(\.count) == [8, 8, 8, 8])
    #expect(features[2] == [Float](repeating: 0, count: 8))
    let crops = boxes.compactMap { frame.part(around: $0, aspect: 0.5) }
    #expect(crops.count == 3 && extractor.features(of: crops) == [features[0], features[1], features[3]])
    for vector in [features[0], features[1], features[3]] { #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-3) }
    #expect(extractor.features(of: [BoundingBox](), in: frame).isEmpty && extractor.features(of: [Image]()).isEmpty)
  }

  @Test("vectors depend on the batch by rounding at most, and nothing is recorded or changed") func batches() {
    let frame = Image.noise(height: 60, width: 80), network = network()
    let before = network.stateDictionary().entries.compactMap(\.tensor)
    let whole = AppearanceExtractor(network, batchSize: 4).features(of: boxes, in: frame)
    let single = AppearanceExtractor(network, batchSize: 1).features(of: boxes, in: frame)
    for (a, b) in zip(whole.joined(), single.joined()) { #expect(abs(a - b) < 1e-5) }
    let after = network.stateDictionary().entries.compactMap(\.tensor)
    #expect(zip(before, after).allSatisfy { $0.isIdentical(to: $1) })
  }

  @Test("a config and the weights of a file, or of a training with what its loss learned") func files() throws {
    try withTemporaryFolder { folder in
      let network = network(seed: 9), frame = Image.noise(height: 60, width: 80)
      try AtomicFile.write("""
        task: appearance
        model: {height: 32, width: 16, channels: 4, features: 8}
        """, to: "\(folder)/look.yaml")
      let entries = network.stateDictionary().entries + [.init("head.weight", Tensor.ones([5, 8])), .init("head.scale", Tensor.ones([1]))]
      try StateDictionary(entries).safetensors().write(to: "\(folder)/w.safetensors")
      let extractor = try AppearanceExtractor(config: "\(folder)/look.yaml", weights: WeightSource("\(folder)/w.safetensors"))
      #expect(extractor.length == 8)
      #expect(extractor.features(of: boxes, in: frame) == AppearanceExtractor(network).features(of: boxes, in: frame))
      expectFailure(.badData, "dense.weight") {
        try AppearanceExtractor(config: "\(folder)/look.yaml", weights: WeightSource("\(folder)/w.safetensors"),
                                overrides: [ConfigOverride(key: "model.features", value: "9", option: "")])
      }
    }
  }
}
