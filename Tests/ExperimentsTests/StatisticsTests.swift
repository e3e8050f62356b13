import Base
import Experiments
import Foundation
import Testing
import Training

/// Two variants on five samples, two seeds each. `np.quantile` over the same 2,000 choices (Philox drawn in Python) gives the intervals.
@Suite struct ExperimentStatisticsTests {
  static let weights = [1.0, 2, 1, 3, 1]
  static let base = [[1.0, 2, 3, 4, 5], [1.5, 2, 2.5, 4, 6]]
  static let other = [[0.5, 2, 2.5, 4.5, 4], [1.0, 1, 2.5, 3, 5]]

  static func table(_ values: [Double], hits: [[Double]], pixels: [[Double]]) -> SampleTable {
    var table = SampleTable()
    for (index, value) in values.enumerated() {
      var scores = [SampleScore("pooled", value, weight: weights[index]), SampleScore("plain", value)]
      for (part, name) in ["a", "b"].enumerated() where pixels[part][index] > 0 {
        scores.append(SampleScore("iou", part: name, hits[part][index] / pixels[part][index], weight: pixels[part][index]))
      }
      table.add("s\(index)", scores)
    }
    return table
  }

  static func tables() -> [String: SampleTable] {
    let mine: [[Double]] = [[5, 0, 6, 2, 4], [0, 5, 2, 2, 0]]
    let pixels: [[Double]] = [[10, 0, 10, 7, 5], [0, 9, 4, 4, 0]]
    let theirs: [[Double]] = [[3, 0, 5, 2, 4], [0, 6, 1, 2, 0]]
    let theirPixels: [[Double]] = [[10, 0, 9, 8, 5], [0, 9, 4, 3, 0]]
    return [
      "base/seed-1": table(base[0], hits: theirs, pixels: theirPixels), "base/seed-2": table(base[1], hits: theirs, pixels: theirPixels),
      "other/seed-1": table(other[0], hits: mine, pixels: pixels), "other/seed-2": table(other[1], hits: mine, pixels: pixels),
    ]
  }

  /// A result whose seeds have the metrics of their samples.
  static func result(_ change: (inout [ExperimentResult.Variant]) -> Void = { _ in }) throws -> ExperimentResult {
    let tables = tables()
    let metrics = ["pooled", "plain", "iou"].map { ExperimentResult.Metric(name: $0, unit: $0 == "plain" ? "px" : "", meaning: "", better: .lower) }
    var result = ExperimentResult(
      name: "toy", question: "Is it better?", command: "apus ablate toy/spec.yaml", baseline: "base", metrics: metrics,
      budget: .init(steps: 3))
    result.variants = ["base", "other"].map { name in
      let seeds = [1, 2].map { number -> ExperimentResult.Seed in
        let run = "\(name)/seed-\(number)"
        let values = metrics.map { ($0.name, tables[run]?.value(of: $0.name) ?? .nan) }
        var seed = ExperimentResult.Seed(seed: number, status: .finished, run: run, metrics: Dictionary(uniqueKeysWithValues: values))
        seed.data = "0123abcd"
        return seed
      }
      let figure = ExperimentResult.Figure(name: "clean", value: name == "base" ? "2.1" : "1.9")
      return .init(name: name, label: name == "base" ? "Base" : "50 % & more", overrides: [], paper: [figure], seeds: seeds)
    }
    change(&result.variants)
    try result.summarize { tables[$0] ?? SampleTable() }
    return result
  }

  private func isNear(_ value: Double?, _ expected: Double) -> Bool { value.map { abs($0 - expected) < 1e-12 } ?? false }

  @Test func intervalsAreNumPys() throws {
    let summaries = try Self.result().variants[1].summaries
    #expect(isNear(summaries[0].difference, -0.4375) && isNear(summaries[1].difference, -0.5))
    let expected = [(-0.7084821428571426, -0.2777777777777781), (-0.75, -0.2999999999999998), (-0.051534672224327394, 0.18133074935400517)]
    for (summary, (low, high)) in zip(summaries, expected) {
      #expect(isNear(summary.interval?.low, low) && isNear(summary.interval?.high, high), "\(summary)")
      #expect(summary.interval?.isBeyondZero == (summary.metric != "iou"))
    }
  }

  @Test func meansAndDeviationsAreOverSeeds() throws {
    let result = try Self.result()
    let own = result.variants[0].summaries[1]
    #expect(own.mean == 3.1 && isNear(own.deviation, 0.1414213562373093) && own.difference == nil && own.interval == nil)
    #expect(own.count == 2 && own.planned == 2 && result.data == "0123abcd" && result.notes.isEmpty)
  }

  @Test func missingAndFailedSeedsAreSaidAndNotAveraged() throws {
    let result = try Self.result { variants in
      variants[1].seeds[1].status = .failed
      variants[1].seeds.append(.init(seed: 3, status: .missing, run: "other/seed-3"))
    }
    let summary = result.variants[1].summaries[1]
    #expect(summary.mean == 2.7 && summary.deviation == nil && summary.count == 1 && summary.planned == 3)
    #expect(result.notes == [
      "50 % & more: 1 of 3 seeds; seed 2 failed, seed 3 is missing", "50 % & more: compared with base over seed 1, which both have",
    ])
    #expect(isNear(summary.difference, -0.3), "over seed 1 of both")
    #expect(ExperimentTable(result).markdown.contains("| 1 of 3 |"))
    #expect(ExperimentTable(result).csv.contains("other,50 % & more,1,3,"))
  }

  @Test func differentSeedsAreNotCompared() throws {
    let result = try Self.result { variants in
      variants[0].seeds[0].status = .missing
      variants[1].seeds[1].status = .missing
    }
    #expect(result.variants[1].summaries.allSatisfy { $0.mean != nil && $0.difference == nil && $0.interval == nil })
    #expect(result.notes.contains("50 % & more: not compared, for it has no seed in common with base"))
  }

  @Test func otherDataAreNotCompared() throws {
    let others = try Self.result { for index in 0...1 { $0[1].seeds[index].data = "ffff0000" } }
    #expect(others.variants[1].summaries.allSatisfy { $0.mean != nil && $0.difference == nil && $0.interval == nil })
    #expect(others.notes == ["50 % & more: not compared with base, for its data are others"])
    let mixed = try Self.result { $0[0].seeds[1].data = "ffff0000" }
    #expect(mixed.notes == ["50 % & more: not compared, for seeds of base were run on different data"])
    let samples = try Self.result { $0[1].seeds[1].run = "nowhere" }
    #expect(samples.variants[1].summaries.allSatisfy { $0.difference != nil && $0.interval == nil })
    #expect(samples.notes == ["50 % & more: evaluated on other samples than base, so that there are no intervals"])
  }

  @Test func aMetricThatIsNotFiniteIsSaid() throws {
    let result = try Self.result { $0[1].seeds[0].metrics["plain"] = nil }
    #expect(result.variants[1].summaries[1].count == 1)
    #expect(result.notes == ["50 % & more: no finite plain with seed 1"])
  }

  // MARK: Tables

  @Test func tablesStandBesideThePapersFigures() throws {
    let table = ExperimentTable(try Self.result())
    #expect(table.markdown.contains("""
      | variant | clean (paper) | pooled ↓ | Δ pooled [95 %] | plain (px) ↓ | Δ plain [95 %] | iou ↓ | Δ iou [95 %] | seeds |
      |---|---:|---:|---:|---:|---:|---:|---:|---:|
      | Base | 2.1 | 3.188 ± 0.088 | baseline | 3.100 ± 0.141 | baseline | 0.5000 ± 0.0000 | baseline | 2 |
      """), "\(table.markdown)")
    #expect(table.markdown.contains("| 50 % & more | 1.9 | 2.750 ± 0.442 | −0.438 [−0.708, −0.278] | 2.600 ± 0.141 | −0.500 [−0.750, −0.300] |"), "\(table.markdown)")
    #expect(table.latex.contains("50 \\% \\& more & 1.9 & 2.750 $\\pm$ 0.442 & $-$0.438 [$-$0.708, $-$0.278] &"), "\(table.latex)")
    #expect(table.csv.hasPrefix("variant,label,seeds_finished,seeds_planned,paper.clean,pooled.mean,pooled.deviation,pooled.difference,"))
    #expect(table.files.map(\.name) == ["table.md", "table.csv", "table.tex"])
    let again = ExperimentTable(try Self.result())
    #expect(again.files.map(\.text) == table.files.map(\.text))
  }
}
