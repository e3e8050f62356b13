import Base
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

private func parameter(_ shape: [Int] = [1]) -> Parameter { Parameter(.zeros(shape)) }

/// Everything that the walk has to find, and much that it has to pass over.
private struct Zoo: Module {
  struct Leaf: Module {
    let weight = parameter(), runningMean = Buffer(.zeros([2])), seen = Counter()
  }

  enum Choice: Module {
    case nothing, one(Leaf), many([Leaf]), number(Double, Int)
  }

  struct Config {
    var width = 3, name = "zoo"
  }

  static let checkpointNames = ["renamed": "down.0", "flat": ""]

  let inProjWeight = parameter(), layer2Norm = Leaf()
  let absent: Leaf? = nil, present: Leaf? = Leaf()
  let list = [Leaf(), Leaf()], optionals: [Leaf?] = [nil, Leaf()], layers: [any Layer] = [Activation.relu, BatchNorm2d(2)]
  let choices: [Choice] = [.nothing, .one(Leaf()), .many([Leaf()]), .number(1, 2)]
  let renamed = Leaf(), flat = Inner()
  let epsilon = 1e-5, config = Config(), sizes = [1, 2], pair = (1, "two"), table = ["a": 1], kind = Normalization.Kind.batch
  let function: @Sendable (Double) -> Double = { $0 }
  let constant = Tensor.zeros([3])

  struct Inner: Module { let scale = parameter() }
}

private struct Shared: Module {
  let norm3: BatchNorm2d
  let downsample: [any Layer]

  init() {
    norm3 = BatchNorm2d(2)
    downsample = [Activation.identity, norm3]
  }
}

@Suite("Module walk") struct ModuleTests {
  @Test("finds everything, in order, under official names") func names() {
    let leaf = ["weight", "running_mean", "seen"]
    let expected = ["in_proj_weight"] + ["layer2_norm", "present", "list.0", "list.1", "optionals.1"].flatMap { p in leaf.map { "\(p).\($0)" } }
      + ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"].map { "layers.1.\($0)" }
      + ["choices.1", "choices.2.0", "down.0"].flatMap { p in leaf.map { "\(p).\($0)" } } + ["scale"]
    let zoo = Zoo()
    #expect(zoo.stateDictionary().entries.map(\.name) == expected)
    #expect(zoo.parameters().map(\.name) == expected.filter { $0.hasSuffix("weight") || $0.hasSuffix("bias") || $0 == "scale" })
    #expect(zoo.buffers().map(\.name) == expected.filter { $0.contains("running") })
    #expect(zoo.parameterCount == 14)
  }

  @Test("shared layers are reported once, their other names remembered") func sharing() throws {
    let shared = Shared(), state = shared.stateDictionary()
    let names = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    #expect(state.entries.map(\.name) == names.map { "norm3.\($0)" })
    #expect(state.aliases == Dictionary(uniqueKeysWithValues: names.map { ("downsample.1.\($0)", "norm3.\($0)") }))
    let both = StateDictionary(state.entries + state.entries.map { $0.renamed("downsample.1" + $0.name.dropFirst(5)) })
    try shared.load(both)  // an official file holds both names
    let other = StateDictionary(state.entries.map { $0.renamed("downsample.1" + $0.name.dropFirst(5)) })
    try shared.load(other)
    let file = try Safetensors(bytes: state.safetensors().bytes, name: "shared")
    #expect(StateDictionary(file).aliases == state.aliases && StateDictionary(file)["downsample.1.weight"]?.shape == [2])
  }

  @Test("layers where they have no name trap, naming the place") func misplaced() async {
    struct InTuple: Module { let pair = (parameter(), 1) }
    struct InDictionary: Module { let inner = ["a": Conv()] }
    struct InPlainStruct: Module {
      struct Plain { let weight = parameter() }
      let plain: [Plain] = [Plain()]
    }
    struct Conv: Module { let weight = parameter() }
    func message(_ result: ExitTest.Result?) -> String { result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? "" }
    let tuple = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = InTuple().parameters() }
    #expect(message(tuple).contains("pair: layers inside"))
    let dictionary = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = InDictionary().parameters() }
    #expect(message(dictionary).contains("inner: layers inside"))
    let plain = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = InPlainStruct().parameters() }
    #expect(message(plain).contains("plain.0: layers inside"))
  }

  @Test("two parameters of one name trap") func doubleName() async {
    struct Twice: Module {
      static let checkpointNames = ["b": "a"]
      let a = parameter(), b = parameter()
    }
    await #expect(processExitsWith: .failure) { _ = Twice().parameters() }
  }

  @Test("precision is converted everywhere") func conversion() {
    let norm = BatchNorm2d(3)
    norm.convert(to: .float64)
    #expect(norm.parameters().allSatisfy { $0.parameter.precision == .float64 && $0.parameter.value.isRecorded })
    #expect(norm.buffers().allSatisfy { $0.buffer.value.precision == .float64 })
  }

  @Test("patterns choose parameters") func patterns() throws {
    for (pattern, name, fits) in [("*", "", true), ("*", "a.b", true), ("a.*", "a.b.c", true), ("a.*", "ab", false), ("*.bias", "x.y.bias", true),
                                  ("*norm*", "layer.norm1.weight", true), ("a*b*c", "axxbyyc", true), ("a*b*c", "axxbyy", false),
                                  ("a", "a", true), ("a", "ab", false), ("*a*a", "aa", true), ("*ab", "aab", true), ("", "a", false)] {
      #expect(NamePattern(pattern).matches(name) == fits, "\(pattern) \(name)")
    }
    let norm = BatchNorm2d(2)
    try norm.freeze(["b*"])
    #expect(norm.bias.isFrozen && norm.weight?.isFrozen == false && !norm.bias.value.isRecorded)
    try norm.freeze(["*"], false)
    #expect(!norm.bias.isFrozen)
    #expect(throws: Failure.self) { try norm.freeze(["backbone.*"]) }
  }

  @Test("dropout depends on the pass") func dropout() {
    let x = Tensor.ones([64, 4, 4, 8]), layers = Sequential(Dropout(0.5), Dropout2d(0.25))
    #expect(layers(x, .evaluation).isIdentical(to: x))
    let pass = { Pass(.training, random: Random(seed: 3, stream: .dropout)) }
    let y = layers(x, pass())
    #expect(y.isIdentical(to: layers(x, pass())), "one seed, two results")
    #expect(Set(y.floats) == [0, 2 / 0.75])
    // The mean over 512 channels is 1 with deviation √((1/0.75 - 1) + (1/0.5 - 1)/(0.75·16)) / √512 ≈ 0.029; 5 deviations are allowed.
    #expect(abs(y.mean().item - 1) < 0.15)
  }

  @Test("layers start as documented") func initializers() {
    var random = Random(seed: 5, stream: .initialization)
    let conv = Conv2d(16, 32, kernel: 3, Conv2dOptions(groups: 2), weights: .kaimingNormal, &random)
    let n = Double(conv.weight.value.count), deviation = (2.0 / (9 * 32)).squareRoot()
    #expect(conv.weight.shape == [3, 3, 8, 32] && conv.stateDictionary().entries[0].shape == [32, 8, 3, 3])
    // The deviation of a sample of n normal numbers has the relative deviation 1/√2n ≈ 1.5 %; 5 of them are allowed.
    #expect(abs((conv.weight.value.sumOfSquares / n).squareRoot() / deviation - 1) < 5 / (2 * n).squareRoot())
    func bounds(_ parameter: Parameter?, _ bound: Double) -> Bool {  // the largest of many uniform numbers comes close to the bound
      let largest = parameter?.value.doubles.map(abs).max() ?? 0
      return largest <= bound && largest > 0.8 * bound
    }
    #expect(bounds(conv.bias, 1 / 72.0.squareRoot()))
    let linear = Linear(50, 40, &random), attention = MultiHeadAttention(width: 16, heads: 4, &random)
    #expect(bounds(linear.weight, 1 / 50.0.squareRoot()) && bounds(linear.bias, 1 / 50.0.squareRoot()))
    #expect(bounds(attention.inProjWeight, (6 / 64.0).squareRoot()) && bounds(attention.outProj.weight, 0.25))
    #expect(attention.parameters().map(\.name) == ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"])
    let transposed = ConvTranspose2d(6, 4, kernel: 5, Conv2dOptions(), &random)
    #expect(bounds(transposed.weight, 0.1) && transposed.stateDictionary().entries[0].shape == [6, 4, 5, 5])
    let truncated = Initializer.truncatedNormal(deviation: 1.5)([5000], &random)
    #expect(truncated.doubles.allSatisfy { abs($0) <= 2 } && Initializer.ones([2], &random).doubles == [1, 1])
  }

  @Test("a causal mask hides the future") func causal() {
    var random = Random(seed: 9, stream: .test)
    let layer = MultiHeadAttention(width: 4, heads: 2, &random)
    let x = Tensor.normal([1, 5, 4], &random), changed = concatenate([x.sliced(1, 0..<4), Tensor.ones([1, 1, 4])], axis: 1)
    let a = layer(x, mask: .causal(5), .evaluation), b = layer(changed, mask: .causal(5), .evaluation)
    #expect(difference(a.sliced(1, 0..<4), b.sliced(1, 0..<4)) == nil && difference(a, b) != nil)
  }
}
