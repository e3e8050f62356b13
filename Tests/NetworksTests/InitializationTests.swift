import Base
import Networks
import Tensors
import Testing
import WeightFiles

/// Weights to begin with: a file that fits in part, under other names, or not at all.
@Suite struct InitializationTests {
  private struct Body: Module {
    let conv: Linear
    let norm: Linear
  }

  private struct Network: Module {
    let body: Body
    let head: Linear
  }

  private static func network(seed: UInt64 = 1, classes: Int = 2) -> Network {
    var random = Random(seed: seed, stream: .initialization)
    return Network(body: Body(conv: Linear(3, 4, &random), norm: Linear(4, 4, &random)), head: Linear(4, classes, &random))
  }

  private func values(_ network: Network, _ name: String) -> [Float] { network.stateDictionary()[name]?.tensor?.floats ?? [] }

  @Test func aFileThatFitsIsTakenWhole() throws {
    let (network, other) = (Self.network(), Self.network(seed: 2))
    let notes = try Initialization(from: "f").apply(other.stateDictionary(), to: network, from: "f")
    #expect(notes == ["initialize: 6 of 6 arrays taken from f"])
    for name in network.stateDictionary().names { #expect(values(network, name) == values(other, name), "\(name)") }
  }

  /// A backbone under its own names, for a network that has it as a part.
  @Test func renamedAndChosen() throws {
    let (network, before) = (Self.network(), Self.network())
    var random = Random(seed: 3, stream: .initialization)
    let file = Body(conv: Linear(3, 4, &random), norm: Linear(4, 4, &random)).stateDictionary()
    var initialization = Initialization(from: "f")
    initialization.rename = [.init(from: "", to: "body.")]
    initialization.include = ["body.*"]
    initialization.exclude = ["*.norm.*"]
    let notes = try initialization.apply(file, to: network, from: "f")
    #expect(notes == [
      "initialize: 2 of 6 arrays taken from f",
      "initialize: 4 arrays keep their values: body.norm.weight, body.norm.bias, head.weight, head.bias",
      "initialize: 2 arrays of the file are not used: body.norm.weight, body.norm.bias",
    ])
    #expect(values(network, "body.conv.weight") == file["conv.weight"]?.tensor?.floats)
    #expect(values(network, "body.norm.weight") == values(before, "body.norm.weight"))
  }

  /// A head for other classes: refused as a whole, taken but for the head, or as far as it fits.
  @Test func anotherHead() throws {
    let file = Self.network(seed: 5, classes: 7).stateDictionary()
    let (network, before) = (Self.network(), Self.network())
    #expect { try Initialization(from: "f").apply(file, to: network, from: "f") } throws: {
      ($0 as? Failure)?.kind == .badData && "\($0)".contains("head.weight is [7, 4], expected [2, 4]")
    }
    for name in network.stateDictionary().names { #expect(values(network, name) == values(before, name), "nothing is changed") }
    var chosen = Initialization(from: "f")
    chosen.exclude = ["head.*"]
    #expect(try chosen.apply(file, to: network, from: "f")[0] == "initialize: 4 of 6 arrays taken from f")
    var loose = Initialization(from: "f")
    loose.strict = false
    #expect(try loose.apply(file, to: Self.network(), from: "f")[0] == "initialize: 4 of 6 arrays taken from f")
  }

  @Test func nothingThatFitsIsAnError() throws {
    let file = StateDictionary([.init("other", .zeros([2]))])
    var loose = Initialization(from: "f")
    loose.strict = false
    #expect { try loose.apply(file, to: Self.network(), from: "f") } throws: { ($0 as? Failure)?.kind == .badData }
    loose.include = ["tail.*"]
    #expect { try loose.apply(file, to: Self.network(), from: "f", section: "stages.1.initialize") } throws: {
      "\($0)".hasPrefix("stages.1.initialize.include: no array of the network is named like 'tail.*'")
    }
  }

  @Test func numbersThatAreNoneAreRefused() throws {
    let network = Self.network()
    var broken = network.stateDictionary().entries
    broken[0] = .init(broken[0].name, Tensor(filling: broken[0].shape, with: .nan))
    #expect { try Initialization(from: "f").apply(StateDictionary(broken), to: network, from: "f") } throws: {
      "\($0)".contains("body.conv.weight") && ($0 as? Failure)?.kind == .badData
    }
  }

  /// At most five names a group.
  @Test func longListsAreCut() {
    #expect(NameList.text((1...5).map(String.init)) == "1, 2, 3, 4, 5")
    #expect(NameList.text((1...7).map(String.init)) == "1, 2, 3, 4, 5, ... (2 more)")
  }

  // MARK: The optimiser's section

  @Test func eachKindMakesItsOptimizer() throws {
    let parameters = Self.network().parameters()
    for (kind, name) in [(OptimizerConfig.Kind.adamw, "adamw"), (.adam, "adam"), (.sgd, "sgd")] {
      let optimizer = try OptimizerConfig(kind, learningRate: 0.1).make(for: parameters)
      #expect(optimizer.saved().metadata["optimizer"] == name && optimizer.parameters.count == 6)
    }
  }

  /// The first group that fits a name decides, also about freezing.
  @Test func groupsFreezeByTheFirstThatFits() throws {
    let network = Self.network()
    var config = OptimizerConfig(.sgd, learningRate: 0.1)
    config.groups = [ParameterGroup("head.*", lrMult: 10), ParameterGroup("*.bias"), ParameterGroup("body.*", freeze: true)]
    try config.freeze(in: network, key: "optimizer")
    #expect(network.parameters().filter { $0.parameter.isFrozen }.map(\.name) == ["body.conv.weight", "body.norm.weight"])
    let trained = try config.make(for: network.parameters()).parameters
    #expect(trained.map(\.name) == ["body.conv.bias", "body.norm.bias", "head.weight", "head.bias"] && trained.map(\.lrMult) == [1, 1, 10, 10])
    config.groups = []
    try config.freeze(in: network, key: "optimizer")
    #expect(!network.parameters().contains { $0.parameter.isFrozen }, "what an earlier stage froze learns again")
  }

  @Test func patternsWithoutEffectAreErrors() throws {
    var config = OptimizerConfig(.adam, learningRate: 0.1)
    config.groups = [ParameterGroup("tail.*")]
    #expect { try config.freeze(in: Self.network(), key: "stages.0.optimizer") } throws: {
      "\($0)".hasPrefix("stages.0.optimizer.groups.0.match: no parameter is named like 'tail.*'")
    }
    config.groups = [ParameterGroup("*", freeze: true)]
    #expect { try config.freeze(in: Self.network(), key: "optimizer") } throws: { "\($0)".contains("'*' leaves nothing to learn") }
  }

  @Test func statisticsAreFrozenByLayer() throws {
    struct Normalised: Module {
      let first = BatchNorm2d(2)
      let second = BatchNorm2d(2)
    }
    let module = Normalised()
    var config = OptimizerConfig(.sgd, learningRate: 0.1)
    config.freezeStatistics = ["first"]
    try config.freeze(in: module, key: "optimizer")
    let frozen = module.buffers().filter { $0.buffer.isFrozen }.map(\.name)
    #expect(frozen == ["first.running_mean", "first.running_var"] && !module.parameters().contains { $0.parameter.isFrozen })
    config.freezeStatistics = ["third"]
    #expect { try config.freeze(in: module, key: "optimizer") } throws: { "\($0)".hasPrefix("optimizer.freeze_statistics: no layer with running") }
  }

  @Test func namesOfGroupsInTheLog() {
    #expect(["backbone.*", "*.bias", "*conv.weight", "*"].map { ParameterGroup($0).logName } == ["backbone", "bias", "conv_weight", ""])
    #expect(ParameterGroup("x", name: "heads").logName == "heads")
  }
}
