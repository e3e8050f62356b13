import Models
import Networks
import Tensors
import Testing
import TestSupport

/// HRNet against the authors' code on PyTorch 2.13: `Tests/Fixtures/make_hrnet.py`.
@Suite("HRNet equals PyTorch") struct HRNetParityTests {
  @Test("names and shapes, and the generated inputs", arguments: HRNetFixture.Case.tested) func inputs(_ item: HRNetFixture.Case) throws {
    let it = try HRNetFixture(item, .float32)
    let ours: [String] = it.network.module.stateDictionary().entries.map { "\($0.name) \($0.shape)" }
    let names: [String] = try HRNetFixture.names(it.fixture).map { "\($0.name) \($0.shape)" }
    #expect(ours == names)
    let bytes = it.inputBytes
    for (name, content) in [("images", bytes.images), ("targets", bytes.targets)] {
      #expect(FixtureHash.fnv1a64(content) == it.fixture.file.metadata["fnv1a64.\(name)"].flatMap { UInt64($0, radix: 16) }, "\(name)")
    }
  }

  @Test("outputs of every fusion", arguments: HRNetFixture.Case.tested, Precision.allCases)
  func fusions(_ item: HRNetFixture.Case, _ precision: Precision) throws {
    let it = try HRNetFixture(item, precision)
    var problems: [String] = []
    var count = 0
    _ = it.network.body(it.images, Pass(.training)) { module, outputs in
      guard module.hasPrefix("stage") else { return }
      for (i, output) in outputs.enumerated() {
        count += 1
        do { problems += try it.compare("stage", "\(module).\(i)", output.channelsFirst.doubles).map { [$0] } ?? [] }
        catch { problems.append("\(error)") }
      }
    }
    #expect(problems.isEmpty)
    #expect(count == it.fixture.file.entries.count { $0.name.hasPrefix("f64/stage/") })
  }

  @Test("outputs, losses and batch statistics, and outputs by these", arguments: HRNetFixture.Case.tested, Precision.allCases)
  func outputs(_ item: HRNetFixture.Case, _ precision: Precision) throws {
    let it = try HRNetFixture(item, precision)
    let results = it.forward()
    for (name, output) in results.outputs {
      let problem = try it.compare("output", name, output.channelsFirst.doubles)
      #expect(problem == nil)
    }
    for (name, value) in results.terms { #expect(try it.isNear(value.item, "loss", name), "\(name) is \(value.item)") }
    for (name, buffer) in it.network.module.buffers() where it.fixture.has("f64/buffer/\(name)") {
      let problem = try it.compare("buffer", name, buffer.value.doubles)
      #expect(problem == nil)
    }
    let evaluated = try #require(it.forward(.evaluation).outputs.first { $0.key != "aux" }?.value)
    let problem = try it.compare("output", "evaluation", evaluated.channelsFirst.doubles)
    #expect(problem == nil)
  }

  @Test("the loss of the hardest keypoints", arguments: Precision.allCases) func hardKeypoints(_ precision: Precision) throws {
    let it = try HRNetFixture(.pose, precision)
    let maps = try #require(it.forward().outputs["heatmaps"]).detached().asLeaf()
    var loss = PoseLoss()
    (loss.kind, loss.top) = (.ohkm, 4)
    let value = loss(maps, it.heatmaps.target, weight: it.heatmaps.weight)
    #expect(try it.isNear(value.item, "loss", "hard_keypoints"))
    let gradient = try #require(value.gradients()[maps])
    let problem = try it.compare("output", "hard_keypoints_gradient", gradient.channelsFirst.doubles)
    #expect(problem == nil)
  }

  @Test("every gradient", arguments: HRNetFixture.Case.tested, Precision.allCases)
  func gradients(_ item: HRNetFixture.Case, _ precision: Precision) throws {
    let it = try HRNetFixture(item, precision)
    let gradients = it.forward().total.gradients()
    let largestOfAll = gradients.largest(it.network.module)
    for (name, parameter) in it.network.module.parameters() where it.fixture.has("f64/grad/\(name)") {
      let gradient = try #require(gradients[parameter], "\(name)")
      // Rounding noise around zero: of the order of the rounding of the gradients that cancel.
      let noise = largestOfAll * precision.ulpOfOne * 64
      let bounds = it.nullGradients.contains(name) ? (noise, noise) : nil
      let problem = try it.compare("grad", name, parameter.layout.official(gradient).doubles, bounds)
      #expect(problem == nil)
    }
  }

  @Test("three optimiser steps", arguments: HRNetFixture.Case.trained, Precision.allCases)
  func training(_ item: HRNetFixture.Case, _ precision: Precision) throws {
    let it = try HRNetFixture(item, precision)
    let (optimizer, rate) = try it.optimizer()
    for step in 0..<3 {
      let total = it.forward().total
      #expect(try it.isNear(total.item, "totals", "total", step: step), "step \(step): \(total.item)")
      optimizer.step(total.gradients(), learningRate: rate, scale: 1)
    }
    for (group, arrays) in [
      ("param", it.network.module.parameters().map { ($0.name, $0.parameter.layout.official($0.parameter.value)) }),
      ("trained_buffer", it.network.module.buffers().map { ($0.name, $0.buffer.value) }),
    ] {
      for (name, value) in arrays where it.fixture.has("f64/\(group)/\(name)") && !it.nullGradients.contains(name) {
        let problem = try it.compare(group, name, value.doubles)
        #expect(problem == nil)
      }
    }
    let last = it.forward().total
    #expect(try it.isNear(last.item, "totals", "total", step: 3), "after: \(last.item)")
  }
}

extension Gradients {
  /// The largest element of all gradients of a network.
  fileprivate func largest(_ module: any Module) -> Double {
    module.parameters().reduce(0) { max($0, self[$1.parameter]?.doubles.reduce(0) { max($0, abs($1)) } ?? 0) }
  }
}
