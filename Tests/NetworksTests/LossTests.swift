import Base
import Networks
import Tensors
import Testing
import TestSupport

@Suite("Losses") struct LossTests {
  /// Float64 sums of a few dozen terms: see `LayerParityTests` for the tolerance.
  @Test("cross-entropy equals PyTorch's", arguments: Fixture.cases(of: "cross_entropy")) func crossEntropyParity(_ item: String) throws {
    let fixture = try Fixture("operations"), settings = try fixture.settings(item)
    let reduction = try #require(LossReduction(rawValue: try settings.string("reduction")))
    let x = try fixture.tensor("\(item)/input").channelsLast.asLeaf()
    let loss = crossEntropy(
      x, try fixture.integers("\(item)/target"), weights: try? fixture.tensor("\(item)/weight").doubles,
      ignoring: try settings.int("ignore_index"), smoothing: try settings.double("label_smoothing"), reduction)
    let gradient = try #require(loss.gradients(seed: try fixture.tensor("\(item)/cotangent"))[x])
    #expect(difference(loss, try fixture.tensor("\(item)/output"), absolute: 1e-10) == nil)
    #expect(difference(gradient.channelsFirst, try fixture.tensor("\(item)/grad.input"), absolute: 1e-10) == nil)
  }

  @Test("an ignored row may hold anything") func ignoredRow() {
    let logits = Tensor([1, 2, .infinity, .nan], shape: [2, 2], precision: .float64).asLeaf()
    let losses = crossEntropy(logits, [0, -100], .none)
    #expect(difference(losses, Tensor([1.3132616875182228, 0], shape: [2], precision: .float64), absolute: 1e-14) == nil)  // log(1 + e)
    #expect(losses.sum().gradients()[logits]?.isFinite == true)
  }

  @Test("a label outside the classes traps") func badLabel() async {
    await #expect(processExitsWith: .failure) { _ = crossEntropy(.zeros([2, 3]), [0, 3]) }
  }

  /// By hand, from the definitions.
  @Test("regression losses") func regression() {
    let d: [Double] = [0, 0.5, -0.5, 1, -3], zero = Tensor.zeros([5], .float64)
    func check(_ loss: (Tensor, Tensor, LossReduction) -> Tensor, _ values: [Double], _ slopes: [Double], _ name: String) {
      let x = Tensor(d, shape: [5], precision: .float64).asLeaf()
      #expect(difference(loss(x, zero, .none), Tensor(values, shape: [5], precision: .float64), absolute: 1e-15) == nil, "\(name)")
      let total = loss(x, zero, .sum)
      #expect(abs(total.item - values.reduce(0, +)) < 1e-14, "\(name)")
      #expect(abs(loss(x, zero, .mean).item - values.reduce(0, +) / 5) < 1e-14, "\(name)")
      #expect(total.gradients()[x].flatMap { difference($0, Tensor(slopes, shape: [5], precision: .float64), absolute: 1e-15) } == nil, "\(name)")
    }
    check({ meanSquaredError($0, $1, $2) }, [0, 0.25, 0.25, 1, 9], [0, 1, -1, 2, -6], "squared")
    check({ meanAbsoluteError($0, $1, $2) }, [0, 0.5, 0.5, 1, 3], [0, 1, -1, 1, -1], "absolute")
    check({ smoothL1Loss($0, $1, $2) }, [0, 0.125, 0.125, 0.5, 2.5], [0, 0.5, -0.5, 1, -1], "smooth, beta 1")
    check({ smoothL1Loss($0, $1, beta: 0.5, $2) }, [0, 0.25, 0.25, 0.75, 2.75], [0, 1, -1, 1, -1], "smooth, beta 1/2")
    check({ smoothL1Loss($0, $1, beta: 0, $2) }, [0, 0.5, 0.5, 1, 3], [0, 1, -1, 1, -1], "smooth, beta 0")
    check({ huberLoss($0, $1, delta: 2, $2) }, [0, 0.125, 0.125, 0.5, 4], [0, 0.5, -0.5, 1, -2], "huber, delta 2")
  }
}
