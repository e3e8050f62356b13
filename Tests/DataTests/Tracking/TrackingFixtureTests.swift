import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

/// Against TrackEval and py-motmetrics, `Tests/Fixtures/make_tracking.py`: crossing objects, distractors, empty results and truth.
@Suite("Tracking metrics of generated sequences") struct TrackingFixtureTests {
  struct Numbers: Decodable {
    let ratios: [Double]
    let counts: [Int]
    /// HOTA at each threshold.
    let hota: [Double]?
  }

  struct Entry: Decodable {
    let benchmark: String
    let name: String
    let length: Int
    let truth: String
    let result: String
    let official: Numbers
    let pymotmetrics: Numbers?

    /// Writes the files of the sequence, and reads them.
    func comparison(_ folder: String, _ rule: TrackingRule) throws -> TrackingComparison {
      let place = "\(folder)/\(name)"
      try FileManager.default.createDirectory(atPath: "\(place)/gt", withIntermediateDirectories: true)
      try truth.write(toFile: "\(place)/gt/gt.txt", atomically: true, encoding: .utf8)
      try "[Sequence]\nseqLength=\(length)\n".write(toFile: "\(place)/seqinfo.ini", atomically: true, encoding: .utf8)
      try result.write(toFile: "\(folder)/\(name).txt", atomically: true, encoding: .utf8)
      let sequence = try MOTSequence(folder: place)
      #expect(sequence.namedBenchmark?.rawValue == benchmark)
      return try sequence.comparison(withResultAt: sequence.resultPath(in: folder), rule: rule)
    }
  }

  struct File: Decodable {
    let sequences: [Entry]
    let combined: [String: Numbers]
  }

  private func expect(_ name: String, _ ratios: [Double], _ counts: [Int], _ expected: Numbers) {
    #expect(counts == expected.counts, "\(name)")
    #expect(ratios.count == expected.ratios.count)
    for (i, pair) in zip(ratios, expected.ratios).enumerated() {
      #expect(abs(pair.0 - pair.1) < 1e-12, "\(name): ratio \(i) is \(pair.0), expected \(pair.1)")
    }
  }

  private func expectOfficial(_ name: String, _ metrics: TrackingMetrics, _ expected: Numbers) {
    let (hota, clear, identity) = (metrics.hota, metrics.clear, metrics.identity)
    let means = [hota.hota, hota.detA, hota.assA, hota.detRe, hota.detPr, hota.assRe, hota.assPr, hota.locA, hota.hota0, hota.locA0]
    let ratios = [clear.mota, clear.motp, clear.moda, clear.recall, clear.precision, clear.f1, clear.motal, clear.smota]
    let counts = [clear.truePositives, clear.falseNegatives, clear.falsePositives, clear.identitySwitches, clear.fragmentations,
                  clear.mostlyTracked, clear.partlyTracked, clear.mostlyLost,
                  identity.truePositives, identity.falseNegatives, identity.falsePositives]
    expect(name, means + ratios + [identity.f1, identity.precision, identity.recall], counts, expected)
    for (i, pair) in zip(hota.tallies, expected.hota ?? []).enumerated() {
      #expect(abs(pair.0.hota - pair.1) < 1e-12, "\(name): HOTA at \(HOTAMetrics.thresholds[i])")
    }
  }

  @Test("TrackEval's figures of each sequence and of all together") func official() throws {
    let file = try Fixture.json("tracking.json", as: File.self)
    #expect(file.sequences.count == 16 && file.combined.count == 4)
    #expect(file.sequences.contains { $0.official.ratios[10] < -1 }, "a negative MOTA is among them")
    var sums: [String: TrackingMetrics] = [:]
    try withTemporaryFolder { folder in
      for entry in file.sequences {
        let metrics = TrackingMetrics(try entry.comparison(folder, .official))
        expectOfficial(entry.name, metrics, entry.official)
        sums[entry.benchmark, default: TrackingMetrics()] += metrics
      }
    }
    for (benchmark, expected) in file.combined { expectOfficial(benchmark, try #require(sums[benchmark]), expected) }
  }

  @Test("py-motmetrics' figures") func pyMotmetrics() throws {
    let entries = try Fixture.json("tracking.json", as: File.self).sequences.filter { $0.pymotmetrics != nil }
    #expect(entries.count == 8)
    try withTemporaryFolder { folder in
      for entry in entries {
        let metrics = TrackingMetrics(try entry.comparison(folder, .pyMotmetrics), rule: .pyMotmetrics)
        let (clear, identity) = (metrics.clear, metrics.identity)
        let ratios = [identity.f1, identity.precision, identity.recall, clear.recall, clear.precision, clear.mota, clear.motpDistance]
        let counts = [clear.falsePositives, clear.falseNegatives, clear.identitySwitches, clear.fragmentations,
                      clear.mostlyTracked, clear.partlyTracked, clear.mostlyLost, clear.transfers, clear.ascends, clear.migrations]
        expect(entry.name, ratios, counts, try #require(entry.pymotmetrics))
      }
    }
  }
}
