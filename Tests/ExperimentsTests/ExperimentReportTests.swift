import Base
import Experiments
import Foundation
import FoundationXML
import Testing

@Suite struct ExperimentReportTests {
  /// Two variants: a baseline of two seeds, and one that lacks its second.
  private func experiment() throws -> SampleRuns {
    let runs = try SampleRuns()
    var result = ExperimentResult(
      name: "toy", question: "Does <it>?", command: "apus ablate Experiments/toy/spec.yaml", baseline: "base",
      metrics: [.init(name: "mIoU", unit: "", meaning: "the score", better: .higher)], budget: .init(steps: 20))
    func seed(_ variant: String, _ number: Int, _ status: ExperimentResult.Seed.Status, _ value: Double) throws -> ExperimentResult.Seed {
      let folder = "\(variant)/seed-\(number)"
      if status == .finished { try runs.run(folder, scores: [value / 2, value]) }
      var seed = ExperimentResult.Seed(seed: number, status: status, run: folder, metrics: status == .finished ? ["mIoU": value] : [:])
      if status == .failed { seed.message = "the loss is not finite" }
      return seed
    }
    var base = ExperimentResult.Summary(metric: "mIoU", count: 2, planned: 2)
    base.mean = 0.5
    base.deviation = 0.1414
    var other = ExperimentResult.Summary(metric: "mIoU", count: 1, planned: 2)
    other.mean = 0.75
    other.difference = 0.25
    other.interval = .init(low: 0.1, high: 0.4)
    result.variants = [
      .init(name: "base", label: "Base", overrides: [], paper: [.init(name: "IoU", value: "38.1")],
            seeds: [try seed("base", 1, .finished, 0.4), try seed("base", 2, .finished, 0.6)], summaries: [base]),
      .init(name: "wide", label: "Wide", overrides: ["model.width=2"], paper: [.init(name: "IoU", value: "40.2")],
            seeds: [try seed("wide", 1, .finished, 0.75), try seed("wide", 2, .failed, 0)], summaries: [other]),
    ]
    try result.write(to: runs.folder)
    return runs
  }

  @Test func theFirstScreenHasTheBestVariantItsMetricAndItsInterval() throws {
    let runs = try experiment()
    let text = try ReportRequest([runs.folder]).run()
    #expect(text.contains("1 of 2") && text.contains("+0.2500") && text.contains("[+0.1000, +0.4000]"), "\(text)")
    let page = try runs.text("report.html")
    let parser = XMLParser(data: Foundation.Data(page.utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    let first = try #require(page.range(of: "<section"))
    let screen = page[..<first.lowerBound]
    for word in ["Does &lt;it&gt;?", "<b>Wide</b>", "0.7500", "+0.2500 [+0.1000, +0.4000]", "<code>model.width=2</code>", "leaves out zero",
                 "0.5000 ± 0.1414", "2 of 2", "1 of 2", "paper: IoU", "38.1", "Seeds are missing"] {
      #expect(screen.contains(word), "\(word)")
    }
    let body = page[first.lowerBound...]
    for word in ["Base (2 seeds)", "Wide", "the loss is not finite", "a processor", "apus ablate Experiments/toy/spec.yaml"] {
      #expect(body.contains(word), "\(word)")
    }
    for name in ["bars-mIoU", "differences-mIoU", "curves-val-mIoU", "curves-train-loss"] {
      for format in ["svg", "png"] { #expect(try File.exists(runs.path("\(name).\(format)"))) }
    }
  }

  @Test func aBaselineThatIsTheBestIsHeldAgainstTheNext() throws {
    let runs = try experiment()
    var result = try ExperimentResult(folder: runs.folder)
    result.variants[1].summaries[0].mean = 0.25
    result.variants[1].summaries[0].difference = -0.25
    result.variants[1].summaries[0].interval = .init(low: -0.4, high: -0.1)
    try result.write(to: runs.folder)
    let page = try report(of: runs)
    #expect(page.contains("None of the other variants is better than the baseline <strong>Base</strong>. The next is <strong>Wide</strong>: "
                          + "−0.2500 [−0.4000, −0.1000]."))
  }

  @Test func rowsStandInTheOrderOfTheSpec() throws {
    let page = try report(of: experiment())
    let table = try #require(page.range(of: "<tbody>"))
    let rows = page[table.upperBound...]
    let base = try #require(rows.range(of: "Base")).lowerBound
    #expect(try base < #require(rows.range(of: "Wide")).lowerBound)
  }

  @Test func theSameResultsGiveTheSamePage() throws {
    let runs = try experiment()
    #expect(try report(of: runs) == report(of: runs))
  }

  @Test func aRunFolderThatIsGoneIsNamed() throws {
    let runs = try experiment()
    try File.removeTree(runs.path("wide/seed-1"))
    let page = try report(of: runs)
    #expect(page.contains("wide/seed-1: this is no run folder") && page.contains("0.7500"))
  }

  @Test func anExperimentStandsAlone() throws {
    let runs = try experiment()
    let run = runs.path("base/seed-1")
    expectFailure(.usage, "reported alone") { _ = try ReportRequest([runs.folder, run]).run() }
    try runs.write("{}", to: "results.json")
    expectFailure(.badData, "results.json") { _ = try ReportRequest([runs.folder]).run() }
  }

  private func report(of runs: SampleRuns) throws -> String {
    _ = try ReportRequest([runs.folder]).run()
    return try runs.text("report.html")
  }
}
