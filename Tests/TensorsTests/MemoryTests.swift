import Base
import Foundation
import Tensors
import Testing

/// The pool belongs to the process, so each of these tests runs in one of its own.
@Suite("Memory") struct MemoryTests {
  private static let mebi = 1 << 20

  /// Bytes that the graph of `body(x)` holds besides `x` and the result; `x` has 1 MiB.
  private static func held(_ shape: [Int] = [1, 1 << 12, 64], body: (Tensor) -> Tensor) -> Int {
    let x = Tensor.ones(shape).asLeaf()
    let before = MemoryPool.statistics.inUse
    let y = body(x)
    let held = MemoryPool.statistics.inUse - before - y.count * 4
    require(y.isRecorded, "nothing was recorded")
    return held
  }

  @Test("rules keep no more than they need") func saved() async {
    await #expect(processExitsWith: .success) {
      let c = Tensor.ones([64])
      for (name, count, body) in [
        ("add", 0, { $0.exp() + $0.exp() }), ("subtract", 0, { $0.exp() - $0.exp() }), ("affine", 0, { $0.exp() * 2 + 1 }),
        ("multiply by a constant", 0, { $0.sigmoid() * c }), ("relu", 0, { $0.relu() }), ("slices", 0, { $0.split(1, into: 2)[0] }),
        ("normalize", 0, { $0.normalized(.instance) }), ("attention", 0, { $0.attention(keys: $0, values: $0, heads: 4) }),
        ("select", 1, { .select(c, $0.exp(), else: $0.exp()) }),
      ] as [(String, Int, (Tensor) -> Tensor)] {
        // Functions like exp keep their own output; what comes on top is the op's.
        let inner = ["add": 2, "subtract": 2, "affine": 1, "multiply by a constant": 1, "select": 2][name] ?? 0
        let held = MemoryTests.held(body: body)
        require(held <= (inner + count) * MemoryTests.mebi + 4096, "\(name): \(held) bytes")
      }
    }
  }

  @Test("a convolution does not keep what a normalisation can make again") func remaking() async {
    await #expect(processExitsWith: .success) {
      let w = Tensor.ones([1, 1, 64, 1]).asLeaf()
      let shape = [1, 64, 64, 64], normalized = MemoryTests.held(shape) { $0.normalized(.instance, NormalizationEpilogue(activation: .relu)) }
      let both = MemoryTests.held(shape) { $0.normalized(.instance, NormalizationEpilogue(activation: .relu)).conv2d(with: w) }
      let shortcut = MemoryTests.held(shape) { x in
        let y = x.normalized(.instance)
        return y.conv2d(with: Tensor.ones([1, 1, 64, 64])).normalized(.batch, NormalizationEpilogue(residual: y)).conv2d(with: w)
      }
      require(both - normalized < 1 << 16, "\(both - normalized) bytes more")  // the result, and nodes
      require(shortcut < 3 * MemoryTests.mebi, "\(shortcut) bytes rather than what the second normalisation takes and gives")
    }
  }

  @Test("gradients of a value that is used often are summed in place") func accumulation() async {
    await #expect(processExitsWith: .success) {
      let x = Tensor.ones([1 << 18]).asLeaf()
      var loss = Tensor(0)
      for k in 1...8 { loss = loss + (x * Double(k)).sum() }
      MemoryPool.resetHighWater()
      let before = MemoryPool.statistics.inUse
      let gradients = loss.gradients()
      require(gradients[x]?.doubles.allSatisfy { $0 == 36 } == true, "wrong sum")
      let most = MemoryPool.statistics.highWater - before
      require(most <= 3 * MemoryTests.mebi + 4096, "\(most) bytes for a sum of 1 MiB gradients")
    }
  }

  @Test("free memory is cut to size, and grows together again") func neighbours() async {
    await #expect(processExitsWith: .success) {
      var big: Tensor? = Tensor.zeros([1_400_000])
      let before = MemoryPool.statistics.systemAllocations
      big = nil
      let small = Tensor.zeros([1_200_000])
      require(MemoryPool.statistics.systemAllocations == before && big == nil && small.count > 0, "the free memory was not used")
      let tiny = Tensor.zeros([600_000])
      require(MemoryPool.statistics.systemAllocations == before + 1 && tiny.count > 0, "what is in use serves nobody else")
    }
    await #expect(processExitsWith: .success) {
      var parts: [Tensor?] = (0..<8).map { _ in Tensor.zeros([1 << 18]) }
      let statistics = MemoryPool.statistics
      for part in [1, 3, 2, 5] { parts[part] = nil }
      let whole = Tensor.ones([3 << 18]), hole = Tensor.ones([1 << 18])
      require(MemoryPool.statistics.systemAllocations == statistics.systemAllocations && MemoryPool.statistics.inUse == statistics.inUse,
        "three neighbours and one alone were free: \(MemoryPool.statistics), before \(statistics)")
      require(parts.compactMap { $0?.sum().item }.reduce(0, +) == 0 && whole.sum().item == 3 * hole.sum().item, "tensors overlap")
      parts = []
      require(MemoryPool.statistics.inUse <= statistics.inUse / 2, "counted wrongly: \(MemoryPool.statistics)")
    }
  }

  /// As a loader and evaluations do: large arrays that die between small ones that live on.
  @Test("arrays beside tensors go back to the system") func heap() async {
    await #expect(processExitsWith: .success) {
      func resident() -> Int {
        let words = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return words.count > 1 ? (Int(words[1]) ?? 0) * 4096 : 0
      }
      MemoryPool.keepHeapSmall()
      var small: [[UInt8]] = []
      var most = 0
      for round in 0..<4 {
        let before = resident()
        var large: [[UInt8]] = []
        for _ in 0..<32 {
          large.append([UInt8](repeating: 1, count: 2 << 20))
          small.append([UInt8](repeating: 1, count: 2 << 10))
        }
        let during = resident()
        require(during - before >= 60 << 20, "\(during - before) bytes for 64 MiB of arrays")
        large = []
        require(resident() - before <= 4 << 20, "round \(round): \(resident() - before) bytes more than before it")
        most = max(most, small.count)
      }
      require(most == 128, "")
    }
  }

  @Test("trimming returns what is unused") func trims() async {
    await #expect(processExitsWith: .success) {
      let kept = Tensor.ones([1 << 20])
      for size in [100, 10_000, 1 << 20, 3 << 20] { _ = Tensor.ones([size]).exp() }
      MemoryPool.trim()
      let statistics = MemoryPool.statistics
      require(statistics.reserved == statistics.inUse && statistics.inUse >= 4 << 20, "\(statistics)")
      require(kept.exp().doubles.allSatisfy { $0 > 2.7 }, "the rest still works")
    }
  }
}
