import Base
import Tensors
import Testing

@Suite("Values of ops") struct ValueTests {
  private let x = Tensor((0..<24).map(Double.init), shape: [2, 3, 4], precision: .float64)

  @Test func sumsOverAnyAxes() {
    #expect(x.sum().item == 276)
    #expect(x.sum([1]).doubles == [12, 15, 18, 21, 48, 51, 54, 57])
    #expect(x.sum([0, 2]).doubles == [60, 92, 124])
    #expect(x.sum([-1], keepingAxes: true).shape == [2, 3, 1])
    #expect(Tensor.zeros([0, 3]).sum([0]).doubles == [0, 0, 0])
  }

  @Test func sumsOverLongRows() {
    #expect(Tensor.ones([70, 20_000]).sum([0]).doubles.allSatisfy { $0 == 70 })
    #expect(Tensor.ones([3, 5, 9_000]).sum([0, 1]).doubles.allSatisfy { $0 == 15 })
  }

  /// A naive float32 sum of 10⁷ times 0.1 is off by 9 %; blocks keep it within rounding.
  @Test func longSumsAreAccurate() {
    let n = 10_000_000
    let sum = Tensor(filling: [n], with: 0.1).sum().item
    #expect(abs(sum / (Double(Float(0.1)) * Double(n)) - 1) < 1e-6)
  }

  @Test func transposesSlicesAndJoins() {
    let t = x.transposed([2, 0, 1])
    #expect(t.shape == [4, 2, 3])
    #expect(t.doubles.prefix(6) == [0, 4, 8, 12, 16, 20])
    #expect(x.sliced(1, 1..<2).doubles == [4, 5, 6, 7, 16, 17, 18, 19])
    #expect(concatenate(x.split(2, sizes: [1, 3]), axis: 2).isIdentical(to: x))
    #expect(x.padded(0, before: 1, after: 0, with: 9).shape == [3, 3, 4])
    #expect(x.padded(2, before: 0, after: 1, with: 9).doubles.prefix(5) == [0, 1, 2, 3, 9])
  }

  @Test func selectionsAndComparisons() {
    let a = Tensor([1, -2, .nan], shape: [3]), b = Tensor([0, 0, 0], shape: [3])
    #expect(a.isGreater(than: b).doubles == [1, 0, 0])
    #expect(Tensor.select(a.isGreater(than: b), a, else: b).doubles == [1, 0, 0])
    #expect(!a.isFinite && b.isFinite)
    #expect(x.argmax() == [3, 3, 3, 3, 3, 3])
  }

  @Test func deepProductsAreCutInBlocks() {
    let n = 20_000
    let a = Tensor(filling: [n, 3], with: 0.5, precision: .float64), b = Tensor(filling: [n, 2], with: 2, precision: .float64)
    #expect(a.matmul(b, transposed: true).doubles.allSatisfy { $0 == Double(n) })
  }

  @Test func emptyInnerAxisGivesZeros() {
    #expect(Tensor.zeros([2, 0]).matmul(.zeros([0, 3])).doubles == [0, 0, 0, 0, 0, 0])
  }

  /// In a process of its own: other tests use the same pool.
  @Test func memoryIsReused() async {
    await #expect(processExitsWith: .success) {
      for _ in 0..<3 { _ = Tensor.zeros([1000, 1000]).exp() }
      let before = MemoryPool.statistics.systemAllocations
      for _ in 0..<10 { _ = Tensor.zeros([1000, 1000]).exp() }
      require(MemoryPool.statistics.systemAllocations == before, "a steady loop asked the system for memory")
    }
  }
}
