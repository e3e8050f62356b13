import Base
import Foundation
import Tensors
import Testing

/// Memory that runs out ends the process in order, whatever op asked for it. Each test changes a process of its own.
@Suite("Out of memory") struct OutOfMemoryTests {
  private static func text(_ result: ExitTest.Result?) -> String {
    result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
  }

  @Test("one line says what was asked for and what there is, and the code is 70") func limit() async {
    let result = await #expect(processExitsWith: .exitCode(70), observing: [\.standardErrorContent]) {
      MemoryPool.limit = 64 << 20
      let small = Tensor.ones([1 << 20])
      _ = small.reshaped(to: [1 << 10, 1, 1 << 10]).broadcast(to: [1 << 10, 64, 1 << 10])
    }
    let text = Self.text(result)
    #expect(text.hasPrefix("error: out of memory: asked for 256 MiB, ") && text.contains("MiB in use); use a smaller batch_size or crop"))
    #expect(text.split(separator: "\n").count == 1, "\(text)")
  }

  @Test("what is registered runs first, once") func handlers() async {
    let result = await #expect(processExitsWith: .exitCode(70), observing: [\.standardErrorContent]) {
      @Sendable func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
      let first = ProcessExit.onFailure { note("recorded \($0.kind)") }
      do { _ = ProcessExit.onFailure { _ in note("dropped") } }
      let second = ProcessExit.onFailure { _ in ProcessExit.end(with: Failure(.usage, at: "", "a handler fails")) }
      withExtendedLifetime((first, second)) {
        MemoryPool.limit = 1 << 20
        _ = Tensor.zeros([1 << 20])
      }
    }
    let lines = Self.text(result).split(separator: "\n")
    // The second handler failed in its turn: the first failure counts.
    #expect(lines.count == 2 && lines[0] == "recorded outOfMemory" && lines[1].hasPrefix("error: out of memory"), "\(lines)")
  }

  @Test("shapes that nobody can count") func overflow() async {
    for shape in ["3x2^40", "bytes"] {
      let result: ExitTest.Result?
      if shape == "bytes" {
        result = await #expect(processExitsWith: .exitCode(70), observing: [\.standardErrorContent]) { _ = Tensor.zeros([1 << 61]) }
      } else {
        result = await #expect(processExitsWith: .exitCode(70), observing: [\.standardErrorContent]) {
          _ = Tensor.zeros([1 << 40, 1 << 40, 3])
        }
      }
      #expect(Self.text(result).contains("asked for more than can be counted"), "\(Self.text(result))")
    }
  }

  @Test("more than the machine has is refused before it is touched") func machine() async {
    let result = await #expect(processExitsWith: .exitCode(70), observing: [\.standardErrorContent]) {
      _ = Tensor(filling: [(MemoryPool.limit >> 2) + (1 << 20)], with: 1)
    }
    #expect(Self.text(result).contains("out of memory: asked for"))
  }

  @Test("working memory of a kernel is memory, too") func scratch() async {
    await #expect(processExitsWith: .exitCode(70)) {
      let x = Tensor.ones([1, 64, 600, 64]), w = Tensor.ones([3, 3, 64, 64])
      MemoryPool.limit = MemoryPool.statistics.reserved + (1 << 20)
      _ = x.conv2d(with: w, Conv2dOptions(padding: 1))
    }
  }

  @Test("free ranges that are too small go back to the system before the limit is reached") func fragments() async {
    await #expect(processExitsWith: .success) {
      let mebi = 1 << 18
      var first: Tensor? = Tensor.zeros([20 * mebi])
      let kept = Tensor.zeros([mebi])
      var last: Tensor? = Tensor.zeros([20 * mebi])
      MemoryPool.limit = 64 << 20
      require(first?.count == last?.count, "")
      first = nil
      last = nil
      require(MemoryPool.available >= 30 << 20, "\(MemoryPool.available)")
      require(Tensor.ones([30 * mebi]).sum().item == Double(30 * mebi) && kept.sum().item == 0, "wrong elements")
    }
  }
}
