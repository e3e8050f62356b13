import Base
import Foundation
import Models
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// The variants of the paper's ablations: sizes, and that each learns with all of its parameters.
@Suite("RAFT's variants") struct RAFTVariantTests {
  private func model(_ variant: RAFT.Variant, _ change: (inout RAFT.Config) -> Void = { _ in }) -> RAFT {
    var random = Random(seed: 3, stream: .initialization), config = RAFT.Config(variant: variant)
    change(&config)
    return RAFT(config, &random)
  }

  private func image(_ seed: UInt64, _ h: Int, _ w: Int, _ precision: Precision = .float32) -> Tensor {
    var random = Random(seed: seed, stream: .test)
    return Tensor.uniform([1, h / 8, w / 8, 3], from: 0, to: 255, &random, precision: precision)
      .resized(to: Extent(height: h, width: w), .bicubic).clamped(to: 0, 255)
  }

  /// Large with bilinear upsampling, as the paper's reference, unless told otherwise; counted by hand from the table of layers.
  @Test("parameters of table 2") func parameterCounts() {
    func count(_ change: (inout RAFT.Config) -> Void = { _ in }) -> Int {
      model(.large) {
        $0.upsampling = .bilinear
        change(&$0)
      }.parameterCount
    }
    #expect(count { $0.upsampling = .convex } == 5_257_536)
    #expect(count() == 4_814_336)
    #expect([0, 1, 2].map { radius in count { $0.correlationRadius = radius } } == [4_732_416, 4_740_608, 4_756_992])
    #expect(count { $0.correlationLevels = 1 } == 4_752_128)
    #expect(count { $0.context = false } == 3_253_088)
    #expect(count { $0.updateOperator = .gru } == 4_666_496)
    #expect(count { $0.updateOperator = .convolutions } == 4_076_672)
    #expect(count { ($0.updateOperator, $0.weightTying) = (.gru, .untied) } == 32_495_616)
    #expect(count { $0.featureScale = .multi } == 6_634_880)
    #expect(count { $0.refinement = .warping } == 4_862_464)
    #expect(count { ($0.correlation, $0.correlationRange) = (.onTheFly, 64) } == 4_814_336)
    #expect(model(.large) { $0.recompute = true }.parameterCount == model(.large).parameterCount)
  }

  static let changes: [(name: String, change: @Sendable (inout RAFT.Config) -> Void)] = [
    ("convex upsampling", { $0.upsampling = .convex }),
    ("separable units", { $0.updateOperator = .sepConvGRU }),
    ("three convolutions", { $0.updateOperator = .convolutions }),
    ("untied weights", { ($0.weightTying, $0.untiedBlocks) = (.untied, 2) }),
    ("no context", { $0.context = false }),
    ("multi-scale", { $0.featureScale = .multi }),
    ("multi-scale on the fly, recomputed", { ($0.featureScale, $0.correlation, $0.recompute) = (.multi, .onTheFly, true) }),
    ("radius 0", { $0.correlationRadius = 0 }),
    ("radius 9 on the fly", { ($0.correlationRadius, $0.correlation) = (9, .onTheFly) }),
    ("no pooling", { $0.correlationLevels = 1 }),
    ("range 32", { $0.correlationRange = 32 }),
    ("range 32 on the fly", { ($0.correlationRange, $0.correlation) = (32, .onTheFly) }),
    ("warping", { $0.refinement = .warping }),
    ("everything at once", {
      ($0.weightTying, $0.untiedBlocks, $0.context, $0.upsampling) = (.untied, 3, false, .convex)
      ($0.updateOperator, $0.correlation, $0.featureScale, $0.correlationRange) = (.sepConvGRU, .onTheFly, .multi, 128)
    }),
  ]

  @Test("every parameter gets a gradient, and evaluation equals training", arguments: changes.indices) func gradients(_ index: Int) throws {
    let change = Self.changes[index], model = model(.small, change.change)
    let (a, b) = (image(1, 128, 136), image(2, 128, 136))
    let flows = model(a, b, iterations: 2, Pass(.training)).flows
    let loss = RAFT.sequenceLoss(flows, target: .ones([1, 128, 136, 2]), valid: .ones([1, 128, 136, 1]), gamma: 0.8)
    let gradients = loss.gradients()
    for (name, parameter) in model.parameters() {
      guard !name.hasPrefix("update_block.2.") else { continue }  // a third block has no turn in two iterations
      let gradient = try #require(gradients[parameter], "\(change.name): \(name)")
      // Instance norm subtracts biases again; the first of untied blocks sees no flow, and a reset gate in a state of zeros resets nothing.
      let isNull = name.hasPrefix("fnet.") && name.hasSuffix(".bias")
        || ["update_block.0.gru.convr1.weight", "update_block.0.gru.convr1.bias", "update_block.0.encoder.convf1.weight"].contains(name)
      #expect(gradient.isFinite && (isNull || gradient.abs().max().item > 0), "\(change.name): \(name)")
    }
    let estimate = noGradient { model(a, b, iterations: 2, upsamplesAll: false, .evaluation) }
    #expect(estimate.flows.count == 1 && difference(estimate.flows[0], flows[1].detached(), absolute: 1e-3) == nil, "\(change.name)")
    #expect(estimate.coarseFlow.shape == [1, 16, 17, 2])
  }

  static let correlations: [@Sendable (inout RAFT.Config) -> Void] = [
    { _ in }, { $0.featureScale = .multi }, { $0.correlationRange = 64 }, { ($0.correlationLevels, $0.correlationRadius) = (2, 9) },
    { ($0.featureScale, $0.correlationRange) = (.multi, 32) },
  ]

  /// Whole networks in float64, at sizes where poolings drop a row or a column.
  @Test("on the fly equals the volume", arguments: correlations.indices) func methods(_ index: Int) throws {
    let (h, w) = (136, 152), (a, b) = (image(1, h, w, .float64), image(2, h, w, .float64))
    var results: [(flow: Tensor, gradients: [Tensor])] = []
    for method in RAFT.CorrelationMethod.allCases {
      let model = model(.small) {
        Self.correlations[index](&$0)
        $0.correlation = method
      }
      model.convert(to: .float64)
      let flows = model(a, b, iterations: 3, Pass(.training)).flows
      let gradients = RAFT.sequenceLoss(
        flows, target: .zeros([1, h, w, 2], .float64), valid: .ones([1, h, w, 1], .float64), gamma: 0.8).gradients()
      results.append((flows[2].detached(), try model.parameters().map { try #require(gradients[$0.parameter]) }))
    }
    #expect(difference(results[0].flow, results[1].flow, absolute: 1e-9) == nil)
    let largest = results[0].gradients.map { $0.abs().max().item }.max() ?? 0
    for (p, q) in zip(results[0].gradients, results[1].gradients) { #expect(difference(p, q, absolute: 1e-9 * largest) == nil) }
  }

  @Test("range leaves out what is far, and a wide one nothing") func ranges() {
    let (a, b) = (image(1, 128, 144), image(2, 128, 144))
    let flows = [0, 8, 64, 1024].map { range in
      noGradient { model(.small) { $0.correlationRange = range }(a, b, iterations: 1, .evaluation).flows[0] }
    }
    #expect(flows[0].isIdentical(to: flows[3]))
    #expect(!flows[0].isIdentical(to: flows[1]) && !flows[0].isIdentical(to: flows[2]) && !flows[1].isIdentical(to: flows[2]))
  }

  @Test("sizes follow the levels") func sizes() {
    #expect([1, 2, 3, 4, 5].map { levels in model(.small) { $0.correlationLevels = levels }.minimumSize } == [16, 32, 64, 128, 256])
    #expect(model(.small) { $0.refinement = .warping }.minimumSize == 16)
    let x = image(1, 40, 32)
    #expect(model(.large) { $0.correlationLevels = 2 }(x, x, iterations: 1, .evaluation).flows[0].shape == [1, 40, 32, 2])
  }

  @Test("untied blocks end the iterations") func untied() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var random = Random(seed: 3, stream: .initialization), config = RAFT.Config(variant: .small)
      (config.weightTying, config.untiedBlocks) = (.untied, 2)
      _ = RAFT(config, &random)(.zeros([1, 128, 128, 3]), .zeros([1, 128, 128, 3]), iterations: 3, .evaluation)
    }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(text.contains("3 iterations with 2 untied update blocks"))
  }

  @Test("a start where the flow already is continues from there") func initialFlow() {
    let model = model(.small), (a, b) = (image(1, 128, 136), image(2, 128, 136))
    let first = model(a, b, iterations: 1, .evaluation)
    let moved = model(a, b, iterations: 1, initialFlow: first.coarseFlow + 2, .evaluation)
    #expect(!moved.coarseFlow.isIdentical(to: first.coarseFlow))
    let again = model(a, b, iterations: 1, initialFlow: .zeros([1, 16, 17, 2]), .evaluation)
    #expect(again.coarseFlow.isIdentical(to: first.coarseFlow))
  }
}

@Suite("RAFT-large's checkpoints") struct RAFTCheckpointTests {
  private func model(seed: UInt64) -> RAFT {
    var random = Random(seed: seed, stream: .initialization)
    return RAFT(.init(variant: .large), &random)
  }

  private func values(_ model: RAFT) -> [[Double]] {
    model.parameters().map { $0.parameter.value.doubles } + model.buffers().map { $0.buffer.value.doubles }
  }

  @Test("shared arrays have both names, and either serves") func aliases() throws {
    let a = model(seed: 1), state = a.stateDictionary()
    #expect(state.entries.count == 169 && state.aliases.count == 10 && state.names.count == 179)
    #expect(state.aliases["cnet.layer2.0.downsample.1.weight"] == "cnet.layer2.0.norm3.weight")
    for dropped in [".norm3.", ".downsample.1.", "none"] {
      let b = model(seed: 2)
      try b.load(StateDictionary(state.unshared.entries.filter { !$0.name.contains(dropped) }))
      #expect(values(a) == values(b))
    }
    let c = model(seed: 3)
    try c.load(StateDictionary(Safetensors(bytes: state.safetensors().bytes, name: "c")))
    #expect(values(a) == values(c))
  }

  @Test("two values for one array are an error") func contradiction() throws {
    let model = model(seed: 1), before = values(model)
    let entries = model.stateDictionary().unshared.entries.map { entry in
      entry.name == "cnet.layer3.0.downsample.1.bias" ? .init(entry.name, Tensor.ones([128])) : entry
    }
    let failure = #expect(throws: Failure.self) { try model.load(StateDictionary(entries), strict: false) }
    #expect(failure?.problem.contains("cnet.layer3.0.norm3.bias and cnet.layer3.0.downsample.1.bias") == true)
    #expect(values(model) == before)
  }

  @Test("frozen batch norm keeps its statistics, and still learns") func frozen() throws {
    let model = model(seed: 1), before = model.buffers().map { $0.buffer.value }
    var random = Random(seed: 5, stream: .test)
    let x = Tensor.uniform([1, 128, 128, 3], from: 0, to: 255, &random)
    let gradients = model(x, x, iterations: 1, Pass(.training, frozenNormalization: true)).flows[0].sum().gradients()
    for (old, new) in zip(before, model.buffers()) { #expect(old.isIdentical(to: new.buffer.value), "\(new.name)") }
    for (name, parameter) in model.parameters() where name.contains("norm") {
      #expect((gradients[parameter]?.abs().max().item ?? 0) > 0, "\(name)")
    }
    _ = model(x, x, iterations: 1, Pass(.training))
    #expect(!zip(before, model.buffers()).contains { $0.isIdentical(to: $1.buffer.value) })
  }
}
