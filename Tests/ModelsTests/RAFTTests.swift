import Base
import Foundation
import Models
import Networks
import Tensors
import Testing
import TestSupport

@Suite("RAFT") struct RAFTTests {
  private func model(_ variant: RAFT.Variant = .small) -> RAFT {
    var random = Random(seed: 3, stream: .initialization)
    return RAFT(.init(variant: variant), &random)
  }

  private func image(_ seed: UInt64, _ h: Int, _ w: Int, _ n: Int = 1) -> Tensor {
    var random = Random(seed: seed, stream: .test)
    let coarse = Tensor.uniform([n, h / 8, w / 8, 3], from: 0, to: 255, &random)
    return coarse.resized(to: Extent(height: h, width: w), .bicubic).clamped(to: 0, 255)
  }

  /// The lookup against a scalar implementation, with centres between cells, on borders and outside.
  @Test func lookupEqualsItsFormula() {
    var random = Random(seed: 9, stream: .test)
    let (queries, h, w, r) = (40, 7, 5, 3)
    let volume = Tensor.uniform([queries, h, w], from: -1, to: 1, &random, precision: .float64)
    let centres = Tensor.uniform([queries, 2], from: -6, to: 14, &random, precision: .float64)
    let found = volume.correlationLookup(centres, radius: r, scale: 0.5).doubles
    let (v, c) = (volume.doubles, centres.doubles)
    func value(_ q: Int, _ x: Double, _ y: Double) -> Double {
      var sum = 0.0
      for (ix, wx) in [(x.rounded(.down), 1 - (x - x.rounded(.down))), (x.rounded(.down) + 1, x - x.rounded(.down))] {
        for (iy, wy) in [(y.rounded(.down), 1 - (y - y.rounded(.down))), (y.rounded(.down) + 1, y - y.rounded(.down))] {
          guard (0..<Double(w)).contains(ix), (0..<Double(h)).contains(iy) else { continue }
          sum += wx * wy * v[(q * h + Int(iy)) * w + Int(ix)]
        }
      }
      return sum
    }
    for q in 0..<queries { for ox in -r...r { for oy in -r...r {
      let channel = (ox + r) * (2 * r + 1) + oy + r
      let expected = value(q, c[2 * q] * 0.5 + Double(ox), c[2 * q + 1] * 0.5 + Double(oy))
      #expect(abs(found[q * 49 + channel] - expected) < 1e-14)
    } } }
  }

  @Test("centres far away, infinite or not a number do no harm") func wildCentres() {
    let volume = Tensor.ones([4, 6, 6])
    let centres = Tensor([1e30, 0, -.infinity, 3, 1e9, -1e9, 2, 2] as [Float], shape: [4, 2])
    let y = volume.correlationLookup(centres, radius: 1, scale: 1)
    #expect(y.doubles.prefix(9).allSatisfy { $0 == 0 } && y.doubles.suffix(9).allSatisfy { $0 == 1 })
  }

  @Test("a shifted image moves the flow of every iteration towards the shift after a little training", arguments: [
    (RAFT.Variant.small, 40, 3), (.large, 30, 2),
  ]) func overfitsOnePair(_ variant: RAFT.Variant, _ steps: Int, _ iterations: Int) throws {
    let model = model(variant), (h, w) = (128, 136)
    let wide = image(4, h, w + 8)
    let (image1, image2) = (wide.sliced(2, 0..<w), wide.sliced(2, 4..<w + 4))  // everything moves 4 pixels to the left
    let target = concatenate([Tensor(filling: [1, h, w, 1], with: -4), .zeros([1, h, w, 1])], axis: -1)
    let valid = Tensor.ones([1, h, w, 1])
    let optimizer = try AdamW(model.parameters(), AdamW.Config(weightDecay: 1e-5))
    var losses: [Double] = []
    for step in 0..<steps {
      let flows = model(image1, image2, iterations: iterations, Pass(.training)).flows
      let loss = RAFT.sequenceLoss(flows, target: target, valid: valid, gamma: 0.8)
      losses.append(loss.item)
      let gradients = loss.gradients()
      let clipped = try clip(gradients, of: optimizer.parameters, to: 1)
      optimizer.step(gradients, learningRate: step < 5 ? 2e-4 : 8e-4, scale: clipped.scale)
    }
    #expect(losses[steps - 1] < 0.25 * losses[0], "losses \(losses)")
  }

  /// The loss of the last iteration alone must not reach earlier updates through the coordinates, only through the hidden state.
  @Test func coordinatesAreDetached() {
    let model = model(), x = image(5, 128, 128)
    let ops = RAFT.sequenceLoss(
      model(x, x, iterations: 2, Pass(.training)).flows, target: .zeros([1, 128, 128, 2]), valid: .ones([1, 128, 128, 1]), gamma: 1).recordedGraph
    // With coordinates in the graph the lookup would trap (it takes no recorded centres); all levels are looked up at once, twice.
    #expect(ops.count { $0.op == .correlationLookup } == 2)
  }

  @Test func maskedPixelsDoNotCount() {
    let flow = Tensor.ones([1, 4, 4, 2])
    let target = Tensor((0..<32).map { $0 < 2 ? 1e9 : 0 }, shape: [1, 4, 4, 2])
    var valid = [Double](repeating: 1, count: 16)
    valid[15] = 0
    let loss = RAFT.sequenceLoss([flow, flow], target: target, valid: Tensor(valid, shape: [1, 4, 4, 1]), gamma: 0.5)
    // 14 of 16 pixels count, the mean divides by all: (0.5 + 1) · 14/16.
    #expect(abs(loss.item - 1.5 * 14 / 16) < 1e-6)
  }

  /// A pair with dense flow and one with sparse flow beside each other: each counts with its own pixels.
  @Test func samplesOfDifferentSetsMeetInOneBatch() {
    var random = Random(seed: 8, stream: .test)
    func draw(_ scale: Double) -> Tensor { .uniform([1, 8, 6, 2], from: -scale, to: scale, &random, precision: .float64) }
    let targets = [draw(3), draw(900)], flows = [draw(3), draw(3)], sparse = (0..<48).map { $0 % 5 == 0 ? 1.0 : 0 }
    let valid = [Tensor.ones([1, 8, 6, 1], .float64), Tensor(sparse, shape: [1, 8, 6, 1], precision: .float64)]
    func loss(_ flow: Tensor, _ target: Tensor, _ valid: Tensor) -> Double {
      RAFT.sequenceLoss([flow, flow * 0.5], target: target, valid: valid, gamma: 0.8).item
    }
    let alone = (0..<2).map { loss(flows[$0], targets[$0], valid[$0]) }
    let together = loss(concatenate(flows, axis: 0), concatenate(targets, axis: 0), concatenate(valid, axis: 0))
    #expect(abs(together - (alone[0] + alone[1]) / 2) < 1e-12 * together)
    let counts = (0..<2).map { RAFT.validPixels(targets[$0], valid[$0]).sum().item }
    let long = (0..<48).filter { $0 % 5 == 0 && hypot(targets[1].doubles[2 * $0], targets[1].doubles[2 * $0 + 1]) >= 400 }.count
    #expect(counts == [48, Double(10 - long)] && long > 0)
  }

  @Test("sizes that cannot work are explained") func sizes() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var random = Random(seed: 3, stream: .initialization)
      _ = RAFT(.init(variant: .small), &random)(.zeros([1, 120, 128, 3]), .zeros([1, 120, 128, 3]), iterations: 1, .evaluation)
    }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(text.contains("4 pyramid levels need 128 pixels each way"))
  }

  @Test("evaluation gives the last flow of training, and batches are independent") func modes() {
    let model = model(), a = image(6, 128, 144, 2), b = image(7, 128, 144, 2)
    let all = model(a, b, iterations: 2, Pass(.training)).flows
    let last = noGradient { model(a, b, iterations: 2, upsamplesAll: false, .evaluation).flows }
    #expect(all.count == 2 && last.count == 1 && all[1].detached().isIdentical(to: last[0]))
    let second = noGradient { model(a.sliced(0, 1..<2), b.sliced(0, 1..<2), iterations: 2, .evaluation).flows }
    #expect(difference(second[1], last[0].sliced(0, 1..<2), absolute: 1e-3) == nil)
  }

  @Test("initialisation follows the paper's code") func initialisation() throws {
    let parameters = Dictionary(uniqueKeysWithValues: model().parameters().map { ($0.name, $0.parameter.value.doubles) })
    let w = try #require(parameters["fnet.conv1.weight"])
    let deviation = (w.reduce(0) { $0 + $1 * $1 } / Double(w.count)).squareRoot()
    #expect(abs(deviation / (2.0 / (49 * 32)).squareRoot() - 1) < 0.05)
    let gru = try #require(parameters["update_block.gru.convz.weight"]), bound = 1 / (9.0 * 242).squareRoot()
    #expect(gru.allSatisfy { abs($0) <= bound } && gru.contains { abs($0) > 0.99 * bound })
    let bias = try #require(parameters["update_block.gru.convz.bias"])
    #expect(bias.allSatisfy { abs($0) <= bound } && bias.contains { $0 != 0 })
  }
}
