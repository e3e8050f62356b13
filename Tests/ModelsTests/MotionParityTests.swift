import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport
import WeightFiles

/// The motion network and that of the affinity against PyTorch 2.13: `Tests/Fixtures/make_motion.py`.
@Suite("The tracker's learned parts equal PyTorch") struct MotionParityTests {
  enum Case: String, CaseIterable, Sendable { case motion, affinity }

  private struct Subject {
    let fixture: Fixture
    let settings: Fixture.Settings
    let network: any Module
    let forward: () throws -> (output: Tensor, loss: Tensor)
    private let name: String

    init(_ item: Case) throws {
      let fixture = try Fixture("motion")
      let settings = try fixture.settings(item.rawValue)
      var random = Random(seed: 0, stream: .test)
      func given(_ name: String) throws -> Tensor { try fixture.tensor("\(item.rawValue)/\(name)") }
      switch item {
      case .motion:
        var config = MotionLSTM.Config()
        (config.hidden, config.layers) = (try settings.int("hidden"), try settings.int("layers"))
        let motion = MotionLSTM(config, &random)
        network = motion
        forward = {
          let output = motion(try given("steps"), isKnown: try given("known"), Pass(.training))
          return (output, smoothL1Loss(output, try given("target"), beta: try settings.double("beta")))
        }
      case .affinity:
        var config = MatchNetwork.Config()
        (config.hidden, config.layers) = (try settings.int("hidden"), try settings.int("layers"))
        let affinity = MatchNetwork(config, inputs: try settings.int("inputs"), &random)
        network = affinity
        forward = {
          let output = affinity(try given("features"))
          return (output, binaryCrossEntropy(output, try given("target")))
        }
      }
      (self.fixture, self.settings, name) = (fixture, settings, item.rawValue)
      network.convert(to: .float64)
      let names = network.stateDictionary().entries.map(\.name)
      let stored = fixture.file.entries.map(\.name).filter { $0.hasPrefix("\(name)/weight/") }.map { String($0.dropFirst(name.count + 8)) }
      #expect(Set(names) == Set(stored))
      try network.load(StateDictionary(names.compactMap { own in fixture.file["\(item.rawValue)/weight/\(own)"].map { $0.renamed(own) } }))
    }

    func expectEqual(_ found: Tensor, _ place: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
      let expected = try fixture.tensor("\(name)/\(place)")
      #expect(found.shape == expected.shape, "\(place)", sourceLocation: sourceLocation)
      let difference = zip(found.doubles, expected.doubles).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(difference <= 1e-8, "\(place): \(difference)", sourceLocation: sourceLocation)
    }
  }

  @Test(arguments: Case.allCases) func outputsLossAndGradients(item: Case) throws {
    let it = try Subject(item)
    let (output, loss) = try it.forward()
    try it.expectEqual(output, "output")
    try it.expectEqual(loss, "loss")
    let gradients = loss.gradients()
    for (name, parameter) in it.network.parameters() {
      try it.expectEqual(parameter.layout.official(try #require(gradients[parameter])), "gradient/\(name)")
    }
  }

  @Test(arguments: Case.allCases) func threeStepsOfAdam(item: Case) throws {
    let it = try Subject(item)
    let adam = try Adam(it.network.parameters())
    for _ in 0..<(try it.settings.int("steps")) {
      adam.step(try it.forward().loss.gradients(), learningRate: try it.settings.double("rate"), scale: 1)
    }
    for (name, parameter) in it.network.parameters() { try it.expectEqual(parameter.layout.official(parameter.value), "trained/\(name)") }
  }
}
