import Base
import Tensors
import Testing

/// Gradients of chosen tensors: equal to those of a whole walk, without the work for the others.
@Suite("Gradients of chosen tensors", .serialized) struct ChosenGradientTests {
  /// Two convolutions and a linear layer: a small discriminator.
  private struct Discriminator {
    let weights: [Tensor]

    init() {
      var random = Random(seed: 3, stream: .test)
      weights = [[3, 3, 2, 4], [3, 3, 4, 3], [3, 1]].map { Tensor.uniform($0, from: -1, to: 1, &random, precision: .float64).asLeaf() }
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      let y = x.conv2d(with: weights[0], Conv2dOptions(padding: 1), activation: .tanh)
        .conv2d(with: weights[1], Conv2dOptions(stride: 2, padding: 1)).softplus()
      return y.mean([1, 2]).matmul(weights[2]).sum()
    }
  }

  private func images() -> Tensor {
    var random = Random(seed: 4, stream: .test)
    return Tensor.uniform([2, 6, 5, 2], from: -1, to: 1, &random, precision: .float64).asLeaf()
  }

  @Test("the values are those of a whole walk") func values() throws {
    let d = Discriminator(), x = images()
    let all = d(x).gradients()
    let some = d(x).gradients(of: [x, d.weights[1]])
    for tensor in [x, d.weights[1]] { #expect(try #require(some[tensor]).isIdentical(to: #require(all[tensor]))) }
    #expect(some[d.weights[0]] == nil && some[d.weights[2]] == nil)
  }

  @Test("a penalty on the images' gradient computes no gradient of a weight") func penalty() throws {
    let d = Discriminator(), x = images()
    let slope = try #require(d(x).gradients(of: [x], recording: true)[x])
    #expect(!slope.recordedOps.contains(.convolutionWeightGradient))
    let penalty = slope.squared().sum()
    let whole = try #require(d(x).gradients(recording: true)[x]).squared().sum()
    let (some, all) = (penalty.gradients(), whole.gradients())
    for weight in d.weights { #expect(try #require(some[weight]).isIdentical(to: #require(all[weight]))) }
  }

  @Test("ops: a walk to the images runs none for the weights, one to the weights none for the images") func work() async {
    await #expect(processExitsWith: .success) {
      func flops(_ body: () -> Void) -> Int {
        Profiler.start()
        body()
        return Profiler.stop().events.filter { $0.kind == .backward }.reduce(0) { $0 + $1.flops }
      }
      let d = Discriminator(), x = ChosenGradientTests().images()
      let losses = (0..<4).map { _ in d(x) }
      let all = flops { _ = losses[0].gradients() }
      let toImages = flops { _ = losses[1].gradients(of: [x]) }
      let toWeights = flops { _ = losses[2].gradients(of: d.weights) }
      let toLast = flops { _ = losses[3].gradients(of: [d.weights[2]]) }
      // Of two convolutions and a product, each has two gradients of equal cost; the first one's input gradient is the images'.
      let first = 2 * 2 * 6 * 5 * 4 * 9 * 2, second = 2 * 2 * 3 * 3 * 3 * 9 * 4, product = 2 * 2 * 3
      require(all == 2 * (first + second + product), "\(all)")
      require(toImages == first + second + product, "\(toImages)")
      require(toWeights == all - first, "\(toWeights)")
      require(toLast == product, "\(toLast)")
    }
  }

  @Test("values computed on the way can be asked for, and are not passed") func intermediate() throws {
    let x = Tensor([1, 2], shape: [2], precision: .float64).asLeaf()
    let y = x * x, loss = (y * y * y).sum()
    let gradients = loss.gradients(of: [y], recording: true)
    let slope = try #require(gradients[y])
    #expect(slope.doubles == [3, 48] && gradients[x] == nil)
    // Path-length regularisation: the slope by the latent vector is differentiated by what the vector was made of.
    #expect(slope.sum().gradients()[x]?.doubles == [12, 96])
  }

  @Test("recomputed blocks are entered only if they lead to what is asked for") func recomputedBlocks() throws {
    let x = Tensor([1, 2], shape: [2], precision: .float64).asLeaf(), w = Tensor([3, 4], shape: [2], precision: .float64).asLeaf()
    let runs = Counter()
    func loss() -> Tensor {
      let left = recomputed { again in
        if again { runs.value += 1 }
        return (x * w).exp()
      }
      return (left + w * 2).sum()
    }
    let whole = loss().gradients()
    #expect(runs.value == 1)
    #expect(try #require(loss().gradients(of: [x])[x]).isIdentical(to: #require(whole[x])) && runs.value == 2)
    let other = Tensor([1, 1], shape: [2], precision: .float64).asLeaf()
    let gradient = (loss() + (other * other).sum()).gradients(of: [other])[other]
    #expect(gradient?.doubles == [2, 2] && runs.value == 2)
  }

  /// Nothing but a number that closures share.
  private final class Counter { var value = 0 }

  @Test("what was not recorded, or walked already, is explained") func mistakes() async {
    for (body, message) in [(Mistake.plain, "was not recorded; make it a leaf"), (.walked, "already walked and freed")] {
      let result: ExitTest.Result?
      switch body {
      case .plain:
        result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
          _ = Tensor(1.0).asLeaf().exp().gradients(of: [Tensor(1.0)])
        }
      case .walked:
        result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
          let x = Tensor(1.0).asLeaf(), y = x.exp()
          _ = y.gradients()
          _ = y.gradients(of: [x])
        }
      }
      let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
      #expect(text.contains(message), "\(text)")
    }
  }

  private enum Mistake { case plain, walked }
}
