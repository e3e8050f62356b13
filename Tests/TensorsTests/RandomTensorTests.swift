import Base
import Tensors
import Testing

/// Random tensors are drawn by all threads at once, with the bits that drawing one number after the other gives.
@Suite("Random tensors") struct RandomTensorTests {
  static let counts = [0, 1, 2, 3, 63, 64, 127, 128, 1000, 70_001]

  /// A source that has given `words` words.
  private func source(_ words: Int) -> Random {
    var random = Random(seed: 11, stream: .test, epoch: 2, sample: 5)
    for _ in 0..<words { _ = random.nextWord() }
    return random
  }

  @Test("uniform", arguments: counts, 0..<5) func uniform(_ count: Int, _ words: Int) {
    for precision in Precision.allCases {
      var one = source(words), all = source(words)
      let expected = Tensor((0..<count).map { _ in one.uniform(-0.3, 1.1) }, shape: [count], precision: precision)
      #expect(Tensor.uniform([count], from: -0.3, to: 1.1, &all, precision: precision).isIdentical(to: expected))
      #expect(all == one && all.nextWord() == one.nextWord())
    }
  }

  @Test("normal", arguments: counts, 0..<5) func normal(_ count: Int, _ words: Int) {
    for precision in Precision.allCases {
      var one = source(words), all = source(words)
      let expected = Tensor((0..<count).map { _ in 0.02 * one.normal() }, shape: [count], precision: precision)
      #expect(Tensor.normal([count], deviation: 0.02, &all, precision: precision).isIdentical(to: expected))
      #expect(all == one && all.nextWord() == one.nextWord())
    }
  }

  @Test("dropout", arguments: counts, 0..<3) func dropout(_ count: Int, _ words: Int) {
    for (p, precision) in [(0.1, Precision.float32), (0.5, .float64), (1.0 / 3, .float32), (0.9, .float64)] {
      var one = source(words), all = source(words), values = source(9)
      let x = Tensor.uniform([count], from: -1, to: 1, &values, precision: precision)
      let factors = Tensor((0..<count).map { _ in one.uniform() >= p ? 1 / (1 - p) : 0 }, shape: [count], precision: precision)
      #expect(x.dropout(p, &all).isIdentical(to: x * factors))
      #expect(all == one)
    }
  }

  @Test("skipping words is drawing them", arguments: 0..<9) func skipping(_ count: Int) {
    for words in 0..<6 {
      var one = source(words), other = source(words)
      for _ in 0..<count { _ = one.nextWord() }
      other.skip(count)
      #expect(one == other && one.next() == other.next())
    }
  }

  @Test("dropout keeps no factors") func memory() async {
    await #expect(processExitsWith: .success) {
      var random = Random(seed: 1, stream: .dropout)
      let x = Tensor.ones([1 << 18]).asLeaf()
      let before = MemoryPool.statistics.inUse
      let y = x.dropout(0.5, &random)
      require(MemoryPool.statistics.inUse - before <= 1 << 20, "more than the result is held")
      require(y.sum().gradients()[x]?.isIdentical(to: y.detached()) == true, "the gradient of ones is the factors, and so is the result")
    }
  }
}
