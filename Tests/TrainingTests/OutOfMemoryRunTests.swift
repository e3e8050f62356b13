import Base
import Foundation
import Tensors
import Testing
import Training

/// A run whose computation finds no memory says so in its record, and can be continued.
@Suite struct OutOfMemoryRunTests {
  @Test func itsRecordSaysThatItFailed() async throws {
    let run = try ToyRun()
    let folder = run.folder.path
    let result = await #expect(processExitsWith: .exitCode(70), observing: [\.standardErrorContent]) { [folder = folder as String] in
      var child = try ToyRun()
      child.plan.saveEvery = 5
      var request = RunRequest(configPath: "configs/toy.yaml", resolvedYAML: "plan:\n  steps: 13\n")
      request.workDirectory = "\(folder)/run"
      let opened = try RunFolder.open(request, environment: ToyRun.facts)
      var steps = 0
      var trainer = try Trainer(ToyRecipe(), plan: child.plan, opened: opened, console: ToyRun.quiet, stop: {
        steps += 1
        guard steps == 7 else { return nil }
        MemoryPool.limit = 1 << 20
        return Tensor.zeros([1 << 22]).count > 0 ? SIGTERM : nil
      })
      _ = try trainer.run()
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
