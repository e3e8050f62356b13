import Base
import Tensors
import Testing

@Suite("Backward walk") struct BackwardTests {
  @Test("the documented example") func example() {
    let x = Tensor([1, 2, 3], shape: [3]).asLeaf()
    let y = (x * x).sum()
    #expect(y.gradients()[x]?.doubles == [2, 4, 6])
  }

  @Test("a chain of 200,000 nodes is walked and freed without recursion") func deepChain() {
    let x = Tensor(1.0, precision: .float64).asLeaf()
    var y = x
    for _ in 0..<200_000 { y = y + 1e-6 }
    #expect(y.gradients()[x]?.item == 1)
    y = x
    for _ in 0..<200_000 { y = y + 1e-6 }  // never walked: released node by node
  }

  /// In a process of its own: other tests use the same pool.
  @Test("activations are freed while the loss is still held") func freesActivations() async {
    await #expect(processExitsWith: .success) {
      let x = Tensor.zeros([1 << 18], .float64).asLeaf()
      var y = x
      for _ in 0..<20 { y = y.tanh() }
      let loss = y.sum()
      y = x
      let before = MemoryPool.statistics.inUse
      let gradients = loss.gradients()
      let freed = before - MemoryPool.statistics.inUse
      require(gradients[x] != nil && loss.count == 1, "no gradient")
      require(freed >= 15 * (8 << 18), "20 activations of 2 MiB were held, \(freed >> 20) MiB came back")
    }
  }

  @Test("gradients of gradients") func secondOrder() throws {
    let x = Tensor(3.0, precision: .float64).asLeaf()
    let first = try #require((x * x * x).gradients(recording: true)[x])
    #expect(first.item == 27)
    #expect(first.gradients()[x]?.item == 18)
  }

  @Test("nothing is recorded where recording is off") func withoutGraph() {
    let x = Tensor.ones([4]).asLeaf()
    let y = noGradient { (x * 2).exp() }
    #expect(!y.isRecorded && (x * 2).isRecorded)
  }

  @Test("a used value gets the sum of its gradients, and leaves that do not matter get none") func accumulation() {
    let x = Tensor([2, 5], shape: [2], precision: .float64).asLeaf(), unused = x.detached().asLeaf()
    let y = (x * x + x.exp() * 0 + x * 3).sum()
    let gradients = y.gradients()
    #expect(gradients[x]?.doubles == [7, 13])
    #expect(gradients[unused] == nil)
  }

  @Test("a second walk through a freed graph is explained") func secondWalk() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor(1.0).asLeaf(), y = x * x
      _ = y.gradients()
      _ = y.gradients()
    }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(text.contains("already walked and freed; pass keepingGraph: true"))
  }

  @Test("a vector has no gradient without a seed") func vector() async {
    await #expect(processExitsWith: .failure) { _ = Tensor([1, 2], shape: [2]).asLeaf().exp().gradients() }
  }

  @Test("mixed precisions are refused") func precisions() async {
    await #expect(processExitsWith: .failure) { _ = Tensor(1.0) + Tensor(1.0, precision: .float64) }
  }
}
