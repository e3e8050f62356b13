import Base
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

private struct Net: Module {
  let conv: Conv2d, norm: BatchNorm2d, head: Linear

  init(seed: UInt64 = 1) {
    var random = Random(seed: seed, stream: .test)
    conv = Conv2d(3, 4, kernel: Extent(height: 1, width: 5), &random)
    norm = BatchNorm2d(4)
    head = Linear(4, 2, &random)
  }
}

@Suite("State dictionary") struct StateDictionaryTests {
  @Test("official shapes") func shapes() {
    let shapes = Net().stateDictionary().entries.map { ($0.name, $0.shape) }
    let expected = [("conv.weight", [4, 3, 1, 5]), ("conv.bias", [4]), ("norm.weight", [4]), ("norm.bias", [4]), ("norm.running_mean", [4]),
                    ("norm.running_var", [4]), ("norm.num_batches_tracked", []), ("head.weight", [2, 4]), ("head.bias", [2])]
    #expect(shapes.elementsEqual(expected, by: ==))
  }

  @Test("elements are where the official layout has them") func layout() {
    let native = Tensor((0..<30).map(Double.init), shape: [1, 5, 3, 2])  // [kh, kw, in, out]
    let official = WeightLayout.convolution.official(native)
    #expect(official.shape == [2, 3, 1, 5])
    for o in 0..<2 { for i in 0..<3 { for k in 0..<5 { #expect(official.doubles[(o * 3 + i) * 5 + k] == Double((k * 3 + i) * 2 + o)) } } }
    #expect(WeightLayout.convolution.native(official).isIdentical(to: native))
    #expect(WeightLayout.linear.official(Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])).doubles == [1, 4, 2, 5, 3, 6])
  }

  @Test("a round trip through bytes keeps every bit", arguments: Precision.allCases) func roundTrip(_ precision: Precision) throws {
    let (a, b) = (Net(seed: 1), Net(seed: 2))
    for net in [a, b] { net.convert(to: precision) }
    a.norm.numBatchesTracked.value = 1 << 40
    try b.load(StateDictionary(Safetensors(bytes: a.stateDictionary().safetensors().bytes, name: "net")))
    for ((name, p), (_, q)) in zip(a.parameters(), b.parameters()) { #expect(p.value.isIdentical(to: q.value), "\(name)") }
    #expect(b.norm.numBatchesTracked.value == 1 << 40 && b.conv.weight.value.isRecorded)
  }

  @Test("precision is converted on loading") func precision() throws {
    let (a, b) = (Net(seed: 1), Net(seed: 2))
    b.convert(to: .float64)
    try b.load(a.stateDictionary())
    #expect(b.conv.weight.precision == .float64 && b.conv.weight.value.doubles == a.conv.weight.value.doubles)
  }

  @Test("every misfit is named, and nothing is loaded") func incompatibleKeys() throws {
    let net = Net(), before = net.head.bias.map { $0.value.doubles }
    var entries = Net(seed: 2).stateDictionary().entries.filter { !["conv.bias", "norm.running_var"].contains($0.name) }
    entries.removeAll { $0.name == "head.weight" }
    entries += [.init("head.weight", Tensor.zeros([4, 2])), .init("extra.a", Tensor(1.0)), .init("extra.b", Tensor(1.0))]
    let state = StateDictionary(entries)
    let error = #expect(throws: Failure.self) { try net.load(state, from: "w.safetensors") }
    #expect(error?.kind == .badData && error?.place == "w.safetensors")
    for text in ["2 missing: conv.bias, norm.running_var", "2 unexpected: extra.a, extra.b",
                 "1 of another shape: head.weight is [4, 2], expected [2, 4]"] {
      #expect(error?.problem.contains(text) == true, "\(text)")
    }
    #expect(throws: Failure.self) { try net.load(state, strict: false) }  // shapes always count
    #expect(net.head.bias.map { $0.value.doubles } == before)
    let partial = StateDictionary(entries.filter { $0.name != "head.weight" })
    let report = try net.load(partial, strict: false)
    #expect(report.loaded == 6 && report.missing == ["conv.bias", "norm.running_var", "head.weight"] && report.unexpected == ["extra.a", "extra.b"])
  }

  @Test("a foreign prefix is explained, and can be taken away") func prefix() throws {
    let net = Net(), state = try Net(seed: 2).stateDictionary().renamed([("", "module.")])
    let error = #expect(throws: Failure.self) { try net.load(state, strict: false) }
    #expect(error?.remedy.contains("'module.'") == true)
    try net.load(state.renamed([("module.", "")]))
    #expect(throws: Failure.self) { try state.renamed([("module.conv.", ""), ("module.head.", "")]) }  // weight twice
  }
}
