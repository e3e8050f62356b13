import Base
import Testing
import Training

@Suite struct MetricHistoryTests {
  private func history(_ lines: String) throws -> MetricHistory {
    let folder = try TemporaryFolder()
    _ = try folder.write(lines, to: "metrics.jsonl")
    return try MetricHistory(runFolder: folder.path)
  }

  @Test func rowsAreReadWithTheirNumbers() throws {
    let history = try history("""
      {"split":"train","step":5,"epoch":1,"loss":2.5,"wall":100}
      {"split":"val","step":5,"epoch":1,"score":null,"wall":160}
      {"split":"val","step":5,"epoch":1,"score":0.5,"wall":220}

      """)
    #expect(history.rows.count == 3 && !history.endsInHalfLine && history.lastStep == 5)
    #expect(history.values(of: "loss", split: "train").map(\.value) == [2.5] && history.values(of: "loss", split: "val").isEmpty)
    #expect(history.values(of: "score", split: "val").map(\.value) == [0.5], "of a step that was logged twice the later value")
    #expect(history.rows[1].values["score"]?.isNaN == true && history.rows[0].epoch == 1)
    #expect(history.minutes == 2)
  }

  @Test func pausesBetweenProcessesAreNoTraining() throws {
    let history = try history("""
      {"split":"train","step":1,"wall":0}
      {"split":"train","step":2,"wall":60}
      {"split":"train","step":3,"wall":90000}
      {"split":"train","step":4,"wall":90060}

      """)
    #expect(history.rows.map(\.minutes) == [0, 1, 1, 2])
  }

  @Test func aHalfLastLineDoesNotCount() throws {
    let history = try history("{\"split\":\"train\",\"step\":1}\n{\"split\":\"train\",\"st")
    #expect(history.rows.count == 1 && history.endsInHalfLine)
    #expect(try self.history("").rows.isEmpty)
  }

  @Test(arguments: ["oops", "{\"split\":\"train\"}", "{\"step\":1}", "[1]", "", "{\"split\":\"train\",\"step\":1.5}"])
  func aBrokenLineIsNamed(line: String) throws {
    let failure = #expect(throws: Failure.self) { try history("{\"split\":\"train\",\"step\":1}\n\(line)\n{\"split\":\"train\",\"step\":2}\n") }
    #expect(failure?.kind == .badData && failure?.place.hasSuffix("metrics.jsonl:2") == true, "\(String(describing: failure))")
  }

  @Test func withoutALogThereIsNoHistory() throws {
    let folder = try TemporaryFolder()
    #expect(throws: Failure.self) { try MetricHistory(runFolder: folder.path) }
  }
}
