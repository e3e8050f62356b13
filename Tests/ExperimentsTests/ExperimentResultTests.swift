import Base
import Experiments
import Foundation
import Testing

@Suite struct ExperimentResultTests {
  @Test func resultsAreReadAsTheyWereWritten() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-results-\(UUID().uuidString)").path(percentEncoded: false)
    try File.createFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var result = ExperimentResult(
      name: "toy", question: "Does it?", command: "apus ablate Experiments/toy/spec.yaml", baseline: "base",
      metrics: [.init(name: "mean_AP", unit: "%", meaning: "the score", better: .higher)], budget: .init(steps: 3))
    var seed = ExperimentResult.Seed(seed: 1, status: .finished, run: "base/seed-1", metrics: ["mean_AP": 0.1 + 0.2])
    seed.step = 3
    var summary = ExperimentResult.Summary(metric: "mean_AP", count: 1, planned: 1)
    summary.interval = .init(low: 0.1, high: 0.3)
    result.variants = [.init(name: "base", label: "Base", overrides: ["a.b=1"], paper: [.init(name: "mean AP", value: "38.1")],
                             seeds: [seed], summaries: [summary])]
    try result.write(to: folder)
    #expect(try ExperimentResult(folder: folder) == result)
    try AtomicFile.write("[]", to: "\(folder)/results.json")
    #expect(throws: Failure.self) { try ExperimentResult(folder: folder) }
  }
}
