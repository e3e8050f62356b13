import Base
import Foundation
import Tensors
import Testing
import Training

/// A run whose computation finds no memory says so in its record, and can be continued.
@Suite struct OutOfMemoryRunTests {
  @Test func itsRecordSaysThatItFailed() async throws {
    let run = try ToyRun()
    let result = await #expect(processExitsWith: .exitCode(70), observing: [\.standardErrorContent]) { [path = run.path as String] in
      try ToyRun.train(at: path) { question in
        guard question == 7 else { return nil }
        MemoryPool.limit = 1 << 20
        return Tensor.zeros([1 << 22]).count > 0 ? SIGTERM : nil
      }
    }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(text.contains("error: out of memory: asked for 16 MiB, "), "\(text)")
    let record = try RunRecord(folder: run.path)
    #expect(record.state == .failed && record.exit == 70 && record.ended != nil)
    #expect(record.problem?.hasPrefix("out of memory: asked for 16 MiB, ") == true)
    let saved = try #require(try run.store.step(of: .last))
    #expect(try run.train().outcome == .completed)
    #expect(try RunRecord(folder: run.path).resumedFrom == saved)
  }
}
