import Base
import Experiments
import Foundation
import FoundationXML
import Testing

@Suite struct ReportTests {
  private func expectWellFormed(_ page: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let parser = XMLParser(data: Foundation.Data(page.utf8))
    #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "") in line \(parser.lineNumber)", sourceLocation: sourceLocation)
  }

  private func report(_ folders: [String], out: String? = nil) throws -> String {
    var request = ReportRequest(folders)
    request.out = out
    return try request.run()
  }

  // MARK: One run

  @Test func aRunTellsItsBestValueAndWhereItStands() throws {
    let runs = try SampleRuns()
    let text = try report([runs.run("demo/one", scores: [0.4, 0.7, 0.6])])
    #expect(text.contains("0.7000") && text.contains("0.6000") && text.contains("demo/one/report.html"), "\(text)")
    let page = try runs.text("demo/one/report.html")
    expectWellFormed(page)
    for word in ["<b>0.7000</b>", "best of 3", "completed", "a processor &lt;b&gt;", "data.root=&lt;x&gt;", "step_00000020/one.png",
                 "data:image/png;base64,", "apus evaluate"] {
      #expect(page.contains(word), "\(word)")
    }
    for name in ["curves-val-mIoU", "curves-train-loss"] {
      for format in ["svg", "png"] { #expect(try File.exists(runs.path("demo/one/\(name).\(format)"))) }
    }
  }

  @Test func killedRunningAndFailedRunsAreShownAsSuch() throws {
    let runs = try SampleRuns()
    let cut = try runs.run("cut", state: "running")
    #expect(try report([cut]).contains("killed at step 20 of 20"))
    let lock = try FolderLock(folder: cut)
    #expect(try report([cut]).contains("still running, step 20 of 20"))
    withExtendedLifetime(lock) {}
    #expect(try report([runs.run("broken", state: "diverged")]).contains("diverged at step 20"))
    #expect(try report([runs.run("bare", state: nil)]).contains("no run.json"))
  }

  @Test func aHalfLastLineIsToldAndDoesNotCount() throws {
    let runs = try SampleRuns()
    let folder = try runs.run("cut")
    try runs.write(runs.text("cut/metrics.jsonl") + "{\"split\":\"val\",\"step\":30,\"mIoU\":0.99", to: "cut/metrics.jsonl")
    #expect(try !report([folder]).contains("0.99"))
    #expect(try runs.text("cut/report.html").contains("The last line of its log is incomplete"))
  }

  // MARK: Several runs

  @Test func theBestRunComesFirstWithWhatDistinguishesItFromTheBaseline() throws {
    let runs = try SampleRuns()
    let other = SampleRuns.config + "optimizer: {learning_rate: 0.25}\n"
    let folders = [try runs.run("a/base"), try runs.run("a/worse", scores: [0.1]),
                   try runs.run("b/better", scores: [0.8, 0.7], config: other)]
    let text = try report(folders, out: runs.path("out"))
    let rows = text.split(separator: "\n").dropFirst(2).prefix(3).map { $0.split(separator: " ").prefix(2).map(String.init) }
    #expect(rows == [["b/better", "0.8000"], ["a/base", "0.6000"], ["a/worse", "0.1000"]], "\(text)")
    #expect(text.contains("+0.2000") && text.contains("−0.5000") && text.contains("baseline"))
    let page = try runs.text("out/report.html")
    expectWellFormed(page)
    let sentence = "<strong>b/better</strong> differs from the baseline <strong>a/base</strong> in <code>optimizer.learning_rate</code> "
    #expect(page.contains(sentence + "<code>0.25</code>"), "on the first screen")
    #expect(try File.exists(runs.path("out/bars-mIoU.svg")))
  }

  @Test func theSameRunsGiveTheSameBytes() throws {
    let runs = try SampleRuns()
    let folders = [try runs.run("a"), try runs.run("b", scores: [0.5])]
    for out in ["one", "two"] { _ = try report(folders, out: runs.path(out)) }
    for name in try File.entries(of: runs.path("one")) {
      #expect(try File.bytes(at: runs.path("one/\(name)")) == File.bytes(at: runs.path("two/\(name)")), "\(name)")
    }
  }

  @Test func namesOfFoldersAreTexts() throws {
    let runs = try SampleRuns()
    let folders = [try runs.run("a<script>\"&'"), try runs.run("plain")]
    _ = try report(folders, out: runs.path("out"))
    let page = try runs.text("out/report.html")
    expectWellFormed(page)
    #expect(!page.contains("<script") && page.contains("a&lt;script&gt;&quot;&amp;'"))
  }

  @Test func theFolderOfAConfigStandsForItsRuns() throws {
    let runs = try SampleRuns()
    try runs.run("work/one")
    try runs.run("work/two")
    let text = try report([runs.path("work/")], out: runs.path("out"))
    #expect(text.contains("one ") && text.contains("two "))
  }

  // MARK: Mistakes

  @Test func whatCannotBeReportedIsSaid() throws {
    let runs = try SampleRuns()
    let good = try runs.run("good")
    expectFailure(.missingInput, "no such folder") { _ = try self.report([runs.path("nowhere")]) }
    expectFailure(.missingInput, "this is a file") { _ = try self.report([runs.path("good/config.yaml")]) }
    expectFailure(.missingInput, "no run folder", "config.yaml") { _ = try self.report([runs.path("good/vis")]) }
    let silent = try runs.run("silent", scores: [], losses: [])
    expectFailure(.badData, "silent/metrics.jsonl", "no metric has been logged", "log_every") { _ = try self.report([silent]) }
    let broken = try runs.run("broken")
    try runs.write(runs.text("broken/metrics.jsonl") + "{\"split\": oops}\n", to: "broken/metrics.jsonl")
    expectFailure(.badData, "broken/metrics.jsonl:6", "oops", "--resume") { _ = try self.report([good, broken]) }
    let pose = try runs.run("pose", config: "task: pose\n")
    expectFailure(.usage, "pose", "segmentation", "cannot be compared") { _ = try self.report([good, pose]) }
    let mistyped = try runs.run("mistyped", config: SampleRuns.config + "optimizer: {learning_rte: 1}\n")
    expectFailure(.usage, "mistyped/config.yaml:3", "learning_rate") { _ = try self.report([mistyped]) }
  }

  @Test func aRunWithoutMetricsStandsBesideOthers() throws {
    let runs = try SampleRuns()
    let folders = [try runs.run("good"), try runs.run("silent", scores: [], losses: [])]
    #expect(try report(folders, out: runs.path("out")).contains("none"))
    #expect(try runs.text("out/report.html").contains("Nothing has been logged yet."))
  }

  @Test func aDamagedPictureIsNamedInsteadOfShown() throws {
    let runs = try SampleRuns()
    let folder = try runs.run("one")
    try runs.write("no picture", to: "one/vis/step_00000020/two.png")
    _ = try report([folder])
    let page = try runs.text("one/report.html")
    #expect(page.contains("step_00000020/two.png: ") && page.contains("neither PNG nor JPEG"))
  }

  // MARK: Ultralytics' names

  @Test func resultsUnderUltralyticsNames() throws {
    let runs = try SampleRuns()
    let folder = try runs.run("one")
    try runs.write("x", to: "one/checkpoints/step_00000020/model.safetensors")
    for name in ["best", "last"] { try runs.write("checkpoints/step_00000020\n", to: "one/\(name)_checkpoint") }
    var request = ReportRequest([folder])
    request.hasYOLOLayout = true
    for _ in 0..<2 { _ = try request.run() }  // the links of the first time stand in no way
    let rows = try runs.text("one/results.csv").split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(rows[0].prefix(3) == ["epoch", "step", "time"] && rows[0].contains("train/loss") && rows[0].contains("metrics/mIoU"))
    let score = try #require(rows[0].firstIndex(of: "metrics/mIoU"))
    #expect(rows.count == 3 && rows.allSatisfy { $0.count == rows[0].count } && rows[2][score] == "0.6")
    #expect(try runs.text("one/weights/best/model.safetensors") == "x" && runs.text("one/args.yaml").contains("task: segmentation"))
    #expect(try File.exists(runs.path("one/results.png")))
    request.folders = [folder, try runs.run("two")]
    expectFailure(.usage, "one run") { _ = try request.run() }
  }
}
