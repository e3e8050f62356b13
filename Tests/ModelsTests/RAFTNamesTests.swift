import Base
import Foundation
import Models
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// The names of both publishers against lists from PyTorch, for both variants.
@Suite("RAFT's names") struct RAFTNamesTests {
  struct Row: Decodable {
    let name: String
    let shape: [Int]
  }

  static let lists = Result {
    try JSONDecoder().decode([String: [String: [Row]]].self, from: Data(contentsOf: URL(fileURLWithPath: Fixture.path("raft_published_names.json"))))
  }

  /// A state with these names and shapes whose elements tell the arrays apart; second names hold what first names hold.
  static func state(_ variant: String, _ names: String) throws -> StateDictionary {
    let rows = try #require(try lists.get()[variant]?[names])
    return StateDictionary(rows.map { row in
      let first = row.name.replacingOccurrences(of: ".0.norm3.", with: ".0.downsample.1.")
      let value = Double(FixtureHash.key(variant == "large" ? first : row.name) % 1_000_003)
      return row.name.hasSuffix("num_batches_tracked") ? .init(row.name, integers: [Int64(value)], shape: [])
        : .init(row.name, Tensor(filling: row.shape, with: value))
    })
  }

  private static func described(_ state: StateDictionary) -> [String: String] {
    Dictionary(uniqueKeysWithValues: state.entries.map { entry in
      (entry.name, "\(entry.shape) \(entry.tensor?.doubles.first ?? Double(entry.integers?.first ?? -1))")
    })
  }

  @Test("official names become torchvision's and back", arguments: ["small", "large"]) func bothWays(_ variant: String) throws {
    let official = try Self.state(variant, "official"), expected = try #require(try Self.lists.get()[variant]?["torchvision"])
    let torchvision = try RAFT.torchvision(official)
    #expect(Dictionary(uniqueKeysWithValues: torchvision.entries.map { ($0.name, $0.shape) })
      == Dictionary(uniqueKeysWithValues: expected.map { ($0.name, $0.shape) }))
    let back = try RAFT.official(torchvision)
    #expect(Self.described(back) == Self.described(try RAFT.official(official)))
    #expect(back.entries.count == (variant == "large" ? 169 : 106))
    #expect(try RAFT.torchvision(torchvision).entries.map(\.name) == torchvision.entries.map(\.name))
  }

  @Test("the authors' files name the normalisation of a shortcut twice") func aliases() throws {
    let official = try Self.state("large", "official")
    let names = official.entries.map(\.name)
    #expect(names.count == 179)
    let once = try RAFT.official(official)
    #expect(Set(names).subtracting(once.entries.map(\.name)) == Set([2, 3].flatMap { layer in
      ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"].map { "cnet.layer\(layer).0.norm3.\($0)" }
    }))
    let twice = RAFT.withOfficialAliases(once)
    #expect(Set(twice.entries.map(\.name)).union(twice.aliases.keys) == Set(names))
    #expect(twice.aliases["cnet.layer2.0.norm3.bias"] == "cnet.layer2.0.downsample.1.bias")
    // A small network with affine normalisation has a true norm3: its second name is norm4.
    let parts = ["conv3.weight", "norm3.weight", "downsample.1.weight"]
    let small = StateDictionary(parts.enumerated().map { .init("cnet.layer2.0.\($1)", Tensor(Double($0))) })
    #expect(RAFT.withOfficialAliases(small).aliases == ["cnet.layer2.0.norm4.weight": "cnet.layer2.0.downsample.1.weight"])
    #expect(try RAFT.official(small).entries.count == 3)
  }

  @Test("either of two names may be the stored one") func stored() throws {
    let (first, second) = ("cnet.layer2.0.downsample.1.bias", "cnet.layer2.0.norm3.bias")
    for (name, alias) in [(first, second), (second, first)] {
      let state = try RAFT.official(StateDictionary([.init(name, Tensor([1, 2], shape: [2]))], aliases: [alias: name]))
      #expect(state.entries.map(\.name) == [first] && state.aliases.isEmpty && state[first]?.tensor?.doubles == [1, 2])
    }
    let error = #expect(throws: Failure.self) {
      try RAFT.official(StateDictionary([.init(first, Tensor(1.0)), .init(second, Tensor(2.0))]), from: "w.pth")
    }
    #expect(error?.kind == .badData && error?.place == "w.pth" && error?.problem.contains("norm3.bias") == true)
  }

  @Test("the wrapper's prefix is taken away, unknown names stay") func prefix() throws {
    let state = StateDictionary(["module.fnet.conv1.weight", "module.extra.thing"].map { .init($0, Tensor(1.0)) })
    #expect(try RAFT.official(state).entries.map(\.name) == ["fnet.conv1.weight", "extra.thing"])
    #expect(throws: Failure.self) {
      try RAFT.official(StateDictionary([.init("module.fnet.conv1.bias", Tensor(1.0)), .init("fnet.conv1.bias", Tensor(1.0))]))
    }
  }

  @Test("RAFT-small through .pth under both names keeps every bit", arguments: ["official", "torchvision"]) func roundTrip(_ names: String) throws {
    var random = Random(seed: 31, stream: .test), other = Random(seed: 32, stream: .test)
    let (a, b) = (RAFT(RAFT.Config(variant: .small), &random), RAFT(RAFT.Config(variant: .small), &other))
    var state = a.stateDictionary()
    if names == "torchvision" { state = try RAFT.torchvision(state) }
    try b.load(RAFT.official(PyTorchFile(bytes: state.pyTorchBytes(), name: names).stateDictionary()))
    for ((name, p), (_, q)) in zip(a.parameters(), b.parameters()) { #expect(p.value.isIdentical(to: q.value), "\(name)") }
  }

  @Test("every variant takes its published names, all of them") func complete() throws {
    for variant in RAFT.Variant.allCases {
      var random = Random(seed: 1, stream: .test)
      let model = RAFT(RAFT.Config(variant: variant), &random)
      for names in ["official", "torchvision"] {
        let incompatibleKeys = model.incompatibleKeys(of: try RAFT.official(Self.state(variant.rawValue, names)))
        #expect(incompatibleKeys.isEmpty, "\(variant) \(names): \(incompatibleKeys.lines)")
      }
    }
  }
}
