import Base
import Networks
import Tensors
import Testing
import TestSupport

/// Running statistics that training leaves alone, by layer.
@Suite("Frozen statistics") struct FrozenStatisticsTests {
  private struct Block: Module {
    let conv: Conv2d
    let bn1, bn2: BatchNorm2d

    func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { bn2(bn1(conv(x), pass, activation: .relu), pass) }
  }

  private struct Network: Module {
    let backbone, head: Block

    init(_ random: inout Random) {
      backbone = Block(conv: Conv2d(3, 4, kernel: 3, &random), bn1: BatchNorm2d(4), bn2: BatchNorm2d(4))
      head = Block(conv: Conv2d(4, 2, kernel: 1, &random), bn1: BatchNorm2d(2), bn2: BatchNorm2d(2))
      for (_, buffer) in buffers() { buffer.value = .uniform(buffer.value.shape, from: 0.5, to: 1.5, &random) }
    }

    func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor { head(backbone(x, pass), pass) }
  }

  private func moved(_ network: Network, _ pass: Pass) -> Set<String> {
    var random = Random(seed: 2, stream: .test)
    let before = network.buffers().map { ($0.name, $0.buffer.value.doubles) }
    _ = network(.uniform([2, 6, 5, 3], from: -1, to: 1, &random), pass)
    return Set(zip(before, network.buffers()).filter { $0.1 != $1.buffer.value.doubles }.map(\.0.0))
  }

  @Test("layers are named by patterns, and can be freed again") func patterns() throws {
    var random = Random(seed: 1, stream: .test)
    let network = Network(&random), all = Set(network.buffers().map(\.name))
    #expect(moved(network, Pass(.training)) == all && all.count == 8)
    try network.freezeStatistics(["backbone.*", "head.bn2"])
    #expect(moved(network, Pass(.training)) == ["head.bn1.running_mean", "head.bn1.running_var"])
    #expect(network.backbone.bn1.numBatchesTracked.value == 1 && network.head.bn1.numBatchesTracked.value == 2)
    #expect(moved(network, Pass(.training, frozenNormalization: true)).isEmpty)
    try network.freezeStatistics(["*"], false)
    #expect(moved(network, Pass(.training)) == all)
    #expect(moved(network, .evaluation).isEmpty)
  }

  @Test("a frozen layer computes as in evaluation, and its weight still trains") func values() throws {
    let x = Tensor.uniform([2, 4, 3, 5], from: -1, to: 1, seed: 3), norm = BatchNorm2d(5)
    norm.runningMean.value = .uniform([5], from: -1, to: 1, seed: 4)
    norm.runningVar.value = .uniform([5], from: 0.5, to: 2, seed: 5)
    let expected = norm(x, .evaluation).detached()
    #expect(!norm(x, Pass(.training)).isIdentical(to: expected))
    norm.runningMean.value = .uniform([5], from: -1, to: 1, seed: 4)
    norm.runningVar.value = .uniform([5], from: 0.5, to: 2, seed: 5)
    try norm.freezeStatistics(["*"])
    let y = norm(x, Pass(.training))
    #expect(y.detached().isIdentical(to: expected))
    let weight = try #require(norm.weight)
    #expect(y.sum().gradients()[weight] != nil)
  }

  @Test("a pattern that names no such layer is a mistake") func mistakes() {
    var random = Random(seed: 1, stream: .test)
    let network = Network(&random)
    #expect { try network.freezeStatistics(["backbone.conv"]) } throws: { error in
      let failure = error as? Failure
      return failure?.kind == .usage && "\(error)".contains("no layer with running statistics is named like 'backbone.conv'")
        && "\(error)".contains("backbone.bn1")
    }
  }

  /// A convolution with frozen statistics, folded and apart: values, and gradients of all parameters, those of the norm included.
  @Test("a convolution takes frozen statistics into its weights", arguments: [false, true]) func folded(_ hasResidual: Bool) throws {
    var random = Random(seed: 6, stream: .test)
    let conv = Conv2d(3, 4, kernel: 3, Conv2dOptions(padding: 1), &random), norm = BatchNorm2d(4)
    for module in [conv as any Module, norm] {
      module.convert(to: .float64)
      for (_, parameter) in module.parameters() { parameter.value = .uniform(parameter.shape, from: -1, to: 2, &random, precision: .float64) }
    }
    norm.runningVar.value = .uniform([4], from: 0.5, to: 2, &random, precision: .float64)
    try norm.freezeStatistics(["*"])
    let x = Tensor.uniform([2, 5, 4, 3], from: -1, to: 1, &random, precision: .float64).asLeaf(), pass = Pass(.training)
    let residual = hasResidual ? Tensor.uniform([2, 5, 4, 4], from: -1, to: 1, &random, precision: .float64).asLeaf() : nil
    for (inner, outer) in [(Rectifier.none, Rectifier.none), (.relu, .none), (.none, .relu), (.relu, .relu)] {
      let one = conv(x, norm, pass, activation: inner, residual: residual, outputActivation: outer)
      let apart = norm(conv(x), pass, activation: inner, residual: residual, outputActivation: outer)
      #expect(difference(one.detached(), apart.detached(), absolute: 1e-12) == nil)
      let seed = Tensor.uniform(one.shape, from: -1, to: 1, &random, precision: .float64)
      let (a, b) = (one.gradients(seed: seed), apart.gradients(seed: seed))
      let leaves = [x, conv.weight.value, conv.bias?.value, norm.weight?.value, norm.bias.value, residual].compactMap { $0 }
      for leaf in leaves { #expect(difference(try #require(a[leaf]), try #require(b[leaf]), absolute: 1e-11) == nil) }
    }
  }
}

extension Tensor {
  fileprivate static func uniform(_ shape: [Int], from low: Double, to high: Double, seed: UInt64) -> Tensor {
    var random = Random(seed: seed, stream: .test)
    return .uniform(shape, from: low, to: high, &random)
  }
}
