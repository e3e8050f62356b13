import Base
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// LSTM and GRU against PyTorch, in float64: outputs, last states, and the gradients of inputs, states and all weights.
@Suite("Recurrent networks") struct RecurrentTests {
  /// Some ten steps of sums of a few products of numbers near 1: rounding stays below 1e-14.
  private static let tolerance = 1e-11
  private let fixture: Fixture

  init() throws { fixture = try Fixture("recurrent") }

  /// A network made as the settings of the case say.
  private struct Case {
    let name: String
    let settings: Fixture.Settings

    func lstm() throws -> LSTM {
      var random = Random(seed: 1, stream: .test)
      return LSTM(try settings.int("inputs"), hidden: try settings.int("hidden"), layers: try settings.int("layers"),
                  isBidirectional: try settings.bool("bidirectional"), &random)
    }

    func gru() throws -> GRU {
      var random = Random(seed: 1, stream: .test)
      return GRU(try settings.int("inputs"), hidden: try settings.int("hidden"), layers: try settings.int("layers"),
                 isBidirectional: try settings.bool("bidirectional"), &random)
    }
  }

  /// Compares results and gradients; `run` gives the output and the last states, in the order of `memories`.
  private func check(_ item: String, _ module: some Module, memories: [String], _ run: (Tensor, [Tensor]?) -> [Tensor]) throws {
    let names = module.stateDictionary().entries.map(\.name)
    module.convert(to: .float64)
    try module.load(fixture.weights(item, names))
    let x = try fixture.tensor("\(item)/input").asLeaf()
    let hasState = fixture.has("\(item)/hidden")
    let first = hasState ? try memories.map { try fixture.tensor("\(item)/\($0)").asLeaf() } : nil
    let results = run(x, first)
    var total = Tensor(0, precision: .float64)
    for (name, value) in zip(["output"] + memories, results) {
      let expected = try fixture.tensor("\(item)/\(name == "output" ? name : "last.\(name)")")
      #expect(difference(value.detached(), expected, absolute: Self.tolerance) == nil, "\(item), \(name)")
      total = total + (value * (try fixture.tensor("\(item)/cotangent.\(name)"))).sum()
    }
    let gradients = total.gradients()
    func expect(_ gradient: Tensor?, _ name: String) throws {
      let gradient = try #require(gradient, "\(item): no gradient for \(name)")
      let problem = difference(gradient, try fixture.tensor("\(item)/grad.\(name)"), absolute: Self.tolerance)
      #expect(problem == nil, "\(item), \(name)")
    }
    try expect(gradients[x], "input")
    for (name, leaf) in zip(memories, first ?? []) { try expect(gradients[leaf], name) }
    for (name, parameter) in module.parameters() { try expect(gradients[parameter].map(parameter.layout.official), name) }
  }

  @Test("LSTM equals PyTorch's", arguments: Fixture.cases(of: "lstm", in: "recurrent")) func lstm(_ item: String) throws {
    let network = try Case(name: item, settings: fixture.settings(item)).lstm()
    try check(item, network, memories: ["hidden", "cell"]) { x, first in
      let (y, last) = network(x, from: first.map { LSTM.State(hidden: $0[0], cell: $0[1]) }, .evaluation)
      return [y, last.hidden, last.cell]
    }
  }

  @Test("GRU equals PyTorch's", arguments: Fixture.cases(of: "gru", in: "recurrent")) func gru(_ item: String) throws {
    let network = try Case(name: item, settings: fixture.settings(item)).gru()
    try check(item, network, memories: ["hidden"]) { x, first in
      let (y, last) = network(x, from: first?[0], .evaluation)
      return [y, last]
    }
  }

  @Test("names, shapes and their order are PyTorch's", arguments: Fixture.cases(of: "lstm", in: "recurrent")
    + Fixture.cases(of: "gru", in: "recurrent"))
  func names(_ item: String) throws {
    let settings = try fixture.settings(item)
    let entry = Case(name: item, settings: settings)
    let module: any Module = try settings.string("operation") == "lstm" ? try entry.lstm() : try entry.gru()
    let entries = module.stateDictionary().entries
    #expect(entries.map(\.name) == (try settings.strings("names")))
    for entry in entries { #expect(entry.shape == (try fixture.tensor("\(item)/\(entry.name)").shape), "\(entry.name)") }
  }

  @Test("there are cases of one and two layers, one and two directions, with and without states") func coverage() {
    #expect(Fixture.cases(of: "lstm", in: "recurrent").count == 5 && Fixture.cases(of: "gru", in: "recurrent").count == 5)
  }

  @Test("a sequence may be run in parts: the state carries it on") func parts() throws {
    var random = Random(seed: 3, stream: .test)
    let lstm = LSTM(3, hidden: 4, layers: 2, &random)
    let gru = GRU(3, hidden: 4, layers: 2, &random)
    let x = Tensor.uniform([2, 6, 3], from: -1, to: 1, &random)
    let (whole, last) = lstm(x, .evaluation), (head, middle) = lstm(x.sliced(1, 0..<2), .evaluation)
    let (tail, end) = lstm(x.sliced(1, 2..<6), from: middle, .evaluation)
    #expect(difference(concatenate([head, tail], axis: 1), whole, absolute: 1e-6) == nil)
    #expect(difference(end.hidden, last.hidden, absolute: 1e-6) == nil && difference(end.cell, last.cell, absolute: 1e-6) == nil)
    let (wholeGRU, lastGRU) = gru(x, .evaluation), (headGRU, middleGRU) = gru(x.sliced(1, 0..<5), .evaluation)
    let (tailGRU, endGRU) = gru(x.sliced(1, 5..<6), from: middleGRU, .evaluation)
    #expect(difference(concatenate([headGRU, tailGRU], axis: 1), wholeGRU, absolute: 1e-6) == nil)
    #expect(difference(endGRU, lastGRU, absolute: 1e-6) == nil)
  }

  @Test("dropout acts between the layers, in training alone") func dropout() throws {
    var random = Random(seed: 3, stream: .test)
    let lstm = LSTM(3, hidden: 8, layers: 2, dropout: 0.5, &random)
    let single = LSTM(3, hidden: 8, layers: 1, dropout: 0.5, &random)
    let x = Tensor.uniform([2, 4, 3], from: -1, to: 1, &random)
    #expect(difference(lstm(x, Pass(.training)).output, lstm(x, .evaluation).output) != nil)
    #expect(difference(lstm(x, Pass(.training, dropout: false)).output, lstm(x, .evaluation).output) == nil)
    #expect(difference(single(x, Pass(.training)).output, single(x, .evaluation).output) == nil)
  }

  @Test("first values lie within 1 / √hidden and fill the interval") func initialization() {
    var random = Random(seed: 5, stream: .test)
    for module: any Module in [LSTM(7, hidden: 16, &random), GRU(7, hidden: 16, &random)] {
      let values = module.parameters().flatMap { $0.parameter.value.doubles }
      #expect(values.allSatisfy { Swift.abs($0) <= 0.25 })
      #expect((values.max() ?? 0) > 0.24 && (values.min() ?? 0) < -0.24)
    }
  }
}
