import Base
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// Outputs and gradients of the layers against PyTorch, in float64.
///
/// Both sides sum at most a few hundred products of numbers near 1, so 1e-10 is some 10⁴ times the rounding expected; a wrong formula is off
/// by far more.
@Suite("Layers equal PyTorch") struct LayerParityTests {
  private static let tolerance = 1e-10
  private let fixture: Fixture

  init() throws { fixture = try Fixture("operations") }

  /// Loads the case's weights, runs `forward` on its input and compares the output and all gradients.
  private func check(
    _ item: String, _ module: some Module, channelsFirst: Bool = true, _ forward: (Tensor) throws -> Tensor
  ) throws {
    module.convert(to: .float64)
    try module.load(fixture.weights(item, module.stateDictionary().entries.map(\.name)), strict: false)
    let input = try fixture.tensor("\(item)/input")
    let x = (channelsFirst ? input.channelsLast : input).asLeaf()
    let y = try forward(x)
    let cotangent = try fixture.tensor("\(item)/cotangent")
    let gradients = y.gradients(seed: channelsFirst ? cotangent.channelsLast : cotangent)
    func expect(_ value: Tensor?, _ name: String, isImage: Bool) throws {
      let value = try #require(value, "\(item): no gradient for \(name)")
      let expected = try fixture.tensor("\(item)/\(name)")
      let problem = difference(isImage && channelsFirst ? value.channelsFirst : value, expected, absolute: Self.tolerance, relative: Self.tolerance)
      #expect(problem == nil, "\(item), \(name)")
    }
    try expect(y.detached(), "output", isImage: true)
    try expect(gradients[x], "grad.input", isImage: true)
    for (name, parameter) in module.parameters() {
      #expect(fixture.has("\(item)/\(name)"))
      try expect(gradients[parameter].map(parameter.layout.official), "grad.\(name)", isImage: false)
    }
  }

  private func size(_ name: String) throws -> [Int] { try fixture.tensor(name).shape }

  private func convolution(_ item: String) throws -> Conv2dOptions {
    let settings = try fixture.settings(item)
    return try Conv2dOptions(
      stride: settings.extent("stride"), padding: settings.extent("padding"), dilation: settings.extent("dilation"),
      groups: settings.int("groups"))
  }

  @Test("Conv2d", arguments: Fixture.cases(of: "conv2d")) func conv2d(_ item: String) throws {
    var random = Random(seed: 1, stream: .test)
    let w = try size("\(item)/weight"), options = try convolution(item)
    let layer = Conv2d(w[1] * options.groups, w[0], kernel: Extent(height: w[2], width: w[3]), options, bias: fixture.has("\(item)/bias"), &random)
    try check(item, layer) { layer($0) }
  }

  @Test("ConvTranspose2d", arguments: Fixture.cases(of: "conv_transpose2d")) func convTranspose2d(_ item: String) throws {
    var random = Random(seed: 1, stream: .test)
    let w = try size("\(item)/weight"), options = try convolution(item)
    let layer = ConvTranspose2d(
      w[0], w[1] * options.groups, kernel: Extent(height: w[2], width: w[3]), options,
      outputPadding: try fixture.settings(item).extent("output_padding"), bias: fixture.has("\(item)/bias"), &random)
    try check(item, layer) { layer($0) }
  }

  @Test("Linear", arguments: Fixture.cases(of: "linear")) func linear(_ item: String) throws {
    var random = Random(seed: 1, stream: .test)
    let w = try size("\(item)/weight")
    let layer = Linear(w[1], w[0], bias: fixture.has("\(item)/bias"), &random)
    try check(item, layer, channelsFirst: false) { layer($0) }
  }

  @Test("InstanceNorm2d", arguments: Fixture.cases(of: "instance_norm")) func instanceNorm(_ item: String) throws {
    let channels = try size("\(item)/input")[1], epsilon = try fixture.settings(item).double("eps")
    if fixture.has("\(item)/weight") {
      let layer = InstanceNorm2d(channels, affine: true, epsilon: epsilon)
      try check(item, layer) { layer($0) }
    } else {
      let layer = InstanceNorm2d(channels, epsilon: epsilon)
      #expect(layer.parameters().isEmpty)
      try check(item, layer) { layer($0) }
    }
  }

  @Test("LayerNorm", arguments: Fixture.cases(of: "layer_norm")) func layerNorm(_ item: String) throws {
    let settings = try fixture.settings(item)
    let layer = LayerNorm(try settings.ints("normalized_shape")[0], epsilon: try settings.double("eps"))
    try check(item, layer, channelsFirst: false) { layer($0) }
  }

  @Test("GroupNorm", arguments: Fixture.cases(of: "group_norm")) func groupNorm(_ item: String) throws {
    let settings = try fixture.settings(item)
    let layer = GroupNorm(groups: try settings.int("num_groups"), try size("\(item)/input")[1], epsilon: try settings.double("eps"))
    try check(item, layer) { layer($0) }
  }

  @Test("BatchNorm2d", arguments: Fixture.cases(of: "batch_norm"), [false, true]) func batchNorm(_ item: String, isFrozen: Bool) throws {
    let settings = try fixture.settings(item), isTraining = try settings.bool("training")
    guard !isTraining || !isFrozen else { return }  // frozen training must equal evaluation, so it is run on that case
    let layer = BatchNorm2d(try size("\(item)/input")[1], epsilon: try settings.double("eps"), momentum: try settings.double("momentum"))
    let pass = Pass(isTraining || isFrozen ? .training : .evaluation, frozenNormalization: isFrozen)
    try check(item, layer) { layer($0, pass) }
    let mean = try fixture.tensor("\(item)/running_mean.after"), variance = try fixture.tensor("\(item)/running_var.after")
    #expect(difference(layer.runningMean.value, mean, absolute: Self.tolerance) == nil)
    #expect(difference(layer.runningVar.value, variance, absolute: Self.tolerance) == nil)
    #expect(layer.numBatchesTracked.value == (isTraining ? 1 : 0))
  }

  /// One op where PyTorch has three or four.
  @Test("Conv2d with FrozenBatchNorm2d", arguments: Fixture.cases(of: "conv_frozen_norm")) func frozenNorm(_ item: String) throws {
    var random = Random(seed: 1, stream: .test)
    let w = try size("\(item)/weight"), settings = try fixture.settings(item)
    let options = try Conv2dOptions(stride: settings.extent("stride"), padding: settings.extent("padding"))
    let conv = Conv2d(w[1], w[0], kernel: Extent(height: w[2], width: w[3]), options, bias: false, &random)
    let norm = FrozenBatchNorm2d(w[0])
    norm.convert(to: .float64)
    try norm.load(StateDictionary(norm.stateDictionary().entries.map { entry in
      Safetensors.Entry(entry.name, try fixture.tensor("\(item)/norm.\(entry.name)"))
    }))
    let residual = fixture.has("\(item)/residual") ? try fixture.tensor("\(item)/residual").channelsLast.asLeaf() : nil
    let activation: Rectifier = try settings.bool("relu") ? .relu : .none
    var gradient: Tensor?
    try check(item, conv) { x in
      let y = conv(x, norm, .evaluation, residual: residual, outputActivation: activation)
      #expect(y.recordedOps.isSubset(of: [.convolution, .multiply]), "a pass of its own: \(y.recordedOps)")
      let apart = norm(conv(x), .evaluation, residual: residual, outputActivation: activation)
      #expect(difference(y.detached(), apart.detached(), absolute: Self.tolerance) == nil)
      if let residual {
        let seed = try fixture.tensor("\(item)/cotangent").channelsLast
        gradient = y.gradients(of: [residual], seed: seed, keepingGraph: true)[residual]
      }
      return y
    }
    if residual != nil {
      let expected = try fixture.tensor("\(item)/grad.residual")
      #expect(difference(try #require(gradient).channelsFirst, expected, absolute: Self.tolerance) == nil)
    }
    #expect(norm.parameters().isEmpty && norm.buffers().map(\.name) == ["weight", "bias", "running_mean", "running_var"])
  }

  @Test("Embedding") func embedding() throws {
    var random = Random(seed: 1, stream: .test)
    let layer = Embedding(entries: 7, width: 4, &random)
    layer.convert(to: .float64)
    try layer.load(fixture.weights("embedding", ["weight"]))
    let y = layer(try fixture.integers("embedding/indices"))
    let seed = try fixture.tensor("embedding/cotangent").reshaped(to: y.shape)
    let gradient = try #require(y.gradients(seed: seed)[layer.weight])
    #expect(difference(y, try fixture.tensor("embedding/output").reshaped(to: y.shape)) == nil)
    #expect(difference(gradient, try fixture.tensor("embedding/grad.weight"), absolute: Self.tolerance) == nil)
  }

  @Test("MultiHeadAttention", arguments: Fixture.cases(of: "multihead_attention")) func attention(_ item: String) throws {
    var random = Random(seed: 1, stream: .test)
    let settings = try fixture.settings(item)
    let layer = MultiHeadAttention(width: try settings.int("embed_dim"), heads: try settings.int("num_heads"), &random)
    layer.convert(to: .float64)
    try layer.load(fixture.weights(item, layer.stateDictionary().entries.map(\.name)))
    let mask = fixture.has("\(item)/key_padding_mask")
      ? MultiHeadAttention.Mask(keyPadding: try fixture.tensor("\(item)/key_padding_mask")) : nil
    let isSelf = !fixture.has("\(item)/key"), inputs = isSelf ? ["query"] : ["query", "key", "value"]
    let x = try inputs.map { try fixture.tensor("\(item)/\($0)").asLeaf() }
    let y = isSelf ? layer(x[0], mask: mask, .evaluation) : layer(queries: x[0], keys: x[1], values: x[2], mask: mask, .evaluation)
    let gradients = y.gradients(seed: try fixture.tensor("\(item)/cotangent"))
    #expect(difference(y, try fixture.tensor("\(item)/output"), absolute: Self.tolerance) == nil)
    for (name, leaf) in zip(inputs, x) {
      #expect(difference(try #require(gradients[leaf]), try fixture.tensor("\(item)/grad.\(name)"), absolute: Self.tolerance) == nil, "\(name)")
    }
    for (name, parameter) in layer.parameters() {
      let gradient = parameter.layout.official(try #require(gradients[parameter]))
      #expect(difference(gradient, try fixture.tensor("\(item)/grad.\(name)"), absolute: Self.tolerance) == nil, "\(name)")
    }
    if isSelf {
      let same = layer(queries: x[0], keys: x[0], values: x[0], mask: mask, .evaluation)
      #expect(difference(y, same, absolute: Self.tolerance) == nil, "one product and three differ")
    }
  }

  @Test("there are cases for every layer") func coverage() {
    for (operation, count) in [("conv2d", 10), ("conv_transpose2d", 4), ("linear", 3), ("instance_norm", 2), ("layer_norm", 2),
                               ("group_norm", 2), ("batch_norm", 3), ("conv_frozen_norm", 4), ("multihead_attention", 3), ("cross_entropy", 8)] {
      #expect(Fixture.cases(of: operation).count >= count, "\(operation)")
    }
  }
}
