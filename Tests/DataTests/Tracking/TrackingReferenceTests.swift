import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

/// The figures of TrackEval and py-motmetrics for published results, and the output of SORT's authors.
@Suite("Tracking against the reference evaluations", .enabled(if: Samples.areThere)) struct TrackingReferenceTests {
  /// HOTA, DetA, AssA, DetRe, DetPr, AssRe, AssPr, LocA, HOTA(0), MOTA, MOTP, MODA, Rcll, Prcn, IDF1, IDP, IDR; and
  /// TP, FN, FP, IDsw, Frag, MT, PT, ML, IDTP, IDFN, IDFP.
  struct Reference: Sendable, CustomTestStringConvertible {
    let file: String
    let ratios: [Double]
    let counts: [Int]
    var testDescription: String { file }
  }

  static let official = [
    Reference(file: "mot_MOT17-09-FRCNN/results/MPNTrack.txt",
              ratios: [0.61439, 0.64786, 0.58284, 0.68301, 0.89122, 0.67280, 0.78813, 0.90902, 0.69227,
                       0.70160, 0.90088, 0.70329, 0.73484, 0.95883, 0.72698, 0.83778, 0.64207],
              counts: [3913, 1412, 168, 9, 8, 14, 10, 2, 3419, 1906, 662]),
    Reference(file: "mot_MOT17-09-FRCNN/results/devkit_MOT16-09.txt",
              ratios: [0.31611, 0.31346, 0.32496, 0.34213, 0.66442, 0.33800, 0.75491, 0.78160, 0.41633,
                       0.34216, 0.74615, 0.35155, 0.43324, 0.84136, 0.41750, 0.61415, 0.31624],
              counts: [2307, 3018, 435, 50, 45, 5, 13, 8, 1684, 3641, 1058]),
    Reference(file: "mot_MOT17-09-FRCNN/results/sort.txt",
              ratios: [0.43719, 0.49048, 0.39020, 0.50116, 0.92534, 0.46252, 0.84404, 0.91552, 0.47792,
                       0.53033, 0.90776, 0.53634, 0.53897, 0.99515, 0.50067, 0.71255, 0.38592],
              counts: [2870, 2455, 14, 32, 36, 5, 17, 4, 2055, 3270, 829]),
    Reference(file: "mot_TUD-Campus/results/devkit.txt",
              ratios: [0.39140, 0.41805, 0.36912, 0.44158, 0.71408, 0.38322, 0.75405, 0.77005, 0.54935,
                       0.52646, 0.72280, 0.54596, 0.58217, 0.94144, 0.55766, 0.72973, 0.45125],
              counts: [209, 150, 13, 7, 7, 1, 6, 1, 162, 197, 60]),
    Reference(file: "mot_TUD-Campus/results/sort.txt",
              ratios: [0.45257, 0.48825, 0.42282, 0.52368, 0.72031, 0.48495, 0.72320, 0.77935, 0.61966,
                       0.62674, 0.73677, 0.64345, 0.68524, 0.94253, 0.60645, 0.72031, 0.52368],
              counts: [246, 113, 15, 6, 9, 6, 2, 0, 188, 171, 73]),
    Reference(file: "mot_TUD-Campus/deepsort/expected.txt",
              ratios: [0.51231, 0.48268, 0.54769, 0.54068, 0.67398, 0.61402, 0.69164, 0.77219, 0.72348,
                       0.54318, 0.73906, 0.55153, 0.67688, 0.84375, 0.73570, 0.82639, 0.66295],
              counts: [243, 116, 45, 3, 13, 3, 4, 1, 238, 121, 50]),
  ]

  private func comparison(_ file: String, isPreprocessed: Bool = true, rule: TrackingRule = .official) throws -> TrackingComparison {
    let sequence = try MOTSequence(folder: Samples.path(String(file.prefix { $0 != "/" })))
    let benchmark: TrackingBenchmark = file.contains("MOT17") ? .mot17 : .mot15
    #expect(try sequence.benchmark() == benchmark)
    return try sequence.comparison(withResultAt: Samples.path(file), isPreprocessed: isPreprocessed, rule: rule)
  }

  /// The first number that is not the reference rounded to five decimals.
  private func mismatch(_ found: [Double], _ expected: [Double]) -> String? {
    for (i, pair) in zip(found, expected).enumerated() where !(abs(pair.0 - pair.1) <= 0.51e-5) {
      return "[\(i)]: \(pair.0), expected \(pair.1)"
    }
    return found.count == expected.count ? nil : "\(found.count) numbers, expected \(expected.count)"
  }

  @Test("TrackEval's figures, to 1e-5 and counts exactly", arguments: official) func officialFigures(reference: Reference) throws {
    let metrics = TrackingMetrics(try comparison(reference.file))
    let (hota, clear, identity) = (metrics.hota, metrics.clear, metrics.identity)
    let ratios = [hota.hota, hota.detA, hota.assA, hota.detRe, hota.detPr, hota.assRe, hota.assPr, hota.locA, hota.hota0,
                  clear.mota, clear.motp, clear.moda, clear.recall, clear.precision, identity.f1, identity.precision, identity.recall]
    let counts = [clear.truePositives, clear.falseNegatives, clear.falsePositives, clear.identitySwitches, clear.fragmentations,
                  clear.mostlyTracked, clear.partlyTracked, clear.mostlyLost,
                  identity.truePositives, identity.falseNegatives, identity.falsePositives]
    #expect(mismatch(ratios, reference.ratios) == nil)
    #expect(counts == reference.counts)
    if reference.file.contains("devkit_MOT16") { #expect(metrics.removedCount == 677) }
  }

  @Test("without preprocessing the hypotheses on distractors are false positives") func withoutPreprocessing() throws {
    let metrics = TrackingMetrics(try comparison("mot_MOT17-09-FRCNN/results/devkit_MOT16-09.txt", isPreprocessed: false))
    #expect(metrics.clear.falsePositives == 1112 && metrics.clear.falseNegatives == 3018 && metrics.clear.truePositives == 2307)
    #expect(mismatch([metrics.clear.mota, metrics.identity.f1, metrics.hota.hota], [0.21502, 0.38518, 0.29927]) == nil)
    #expect(metrics.removedCount == 0)
  }

  /// IDF1, IDP, IDR, Rcll, Prcn, MOTA, MOTP as a distance; FP, FN, IDsw, Frag, MT, PT, ML, transfer, ascend, migrate.
  static let pyMotmetrics = [
    Reference(file: "mot_MOT17-09-FRCNN/results/MPNTrack.txt", ratios: [0.72698, 0.83778, 0.64207, 0.73484, 0.95883, 0.70160, 0.09912],
              counts: [168, 1412, 9, 8, 14, 10, 2, 10, 3, 4]),
    Reference(file: "mot_MOT17-09-FRCNN/results/devkit_MOT16-09.txt",
              ratios: [0.41750, 0.61415, 0.31624, 0.43324, 0.84136, 0.34216, 0.25421],
              counts: [435, 3018, 50, 45, 5, 14, 7, 18, 38, 6]),
    Reference(file: "mot_MOT17-09-FRCNN/results/sort.txt", ratios: [0.50067, 0.71255, 0.38592, 0.53897, 0.99515, 0.53033, 0.09224],
              counts: [14, 2455, 32, 36, 6, 16, 4, 7, 28, 3]),
    Reference(file: "mot_TUD-Campus/results/devkit.txt", ratios: [0.55766, 0.72973, 0.45125, 0.58217, 0.94144, 0.52646, 0.27720],
              counts: [13, 150, 7, 7, 1, 6, 1, 2, 7, 2]),
    Reference(file: "mot_TUD-Campus/results/sort.txt", ratios: [0.60645, 0.72031, 0.52368, 0.68524, 0.94253, 0.62674, 0.27252],
              counts: [15, 113, 6, 14, 5, 3, 0, 1, 6, 1]),
    Reference(file: "mot_TUD-Campus/deepsort/expected.txt", ratios: [0.73570, 0.82639, 0.66295, 0.67688, 0.84375, 0.54318, 0.26678],
              counts: [45, 116, 3, 19, 3, 5, 0, 2, 1, 1]),
  ]

  @Test("py-motmetrics' figures, to 1e-5 and counts exactly", arguments: pyMotmetrics)
  func pyMotmetricsFigures(reference: Reference) throws {
    let metrics = TrackingMetrics(try comparison(reference.file, rule: .pyMotmetrics), rule: .pyMotmetrics)
    let (clear, identity) = (metrics.clear, metrics.identity)
    let ratios = [identity.f1, identity.precision, identity.recall, clear.recall, clear.precision, clear.mota, clear.motpDistance]
    let counts = [clear.falsePositives, clear.falseNegatives, clear.identitySwitches, clear.fragmentations,
                  clear.mostlyTracked, clear.partlyTracked, clear.mostlyLost, clear.transfers, clear.ascends, clear.migrations]
    #expect(mismatch(ratios, reference.ratios) == nil)
    #expect(counts == reference.counts)
  }

  // MARK: SORT

  /// The largest difference of a coordinate between two results with the same ids in the same order; nil if the rows differ.
  private func difference(_ found: [[TrackedBox]], _ expected: [[TrackedBox]]) -> Double? {
    guard found.map({ $0.map(\.id) }) == expected.map({ $0.map(\.id) }) else { return nil }
    return zip(found.joined(), expected.joined()).reduce(0) { largest, pair in
      let (a, b) = (pair.0.box, pair.1.box)
      return [largest, abs(a.x - b.x), abs(a.y - b.y), abs(a.width - b.width), abs(a.height - b.height)].max() ?? 0
    }
  }

  @Test("SORT's rows are those of the authors' tracker", arguments: ["mot_TUD-Campus", "mot_MOT17-09-FRCNN"])
  func sort(name: String) throws {
    let sequence = try MOTSequence(folder: Samples.path(name))
    var tracker = SORT()
    let found = try sequence.detections().map { tracker.update($0) }
    let expected = try MOTFile.result(at: Samples.path("\(name)/results/sort.txt"), length: sequence.info?.length)
    let largest = try #require(difference(found, expected), "other rows than the authors'")
    #expect(largest <= 0.02)
    #expect(found.joined().count == (name == "mot_TUD-Campus" ? 261 : 2884))
  }

  /// The rows of a NumPy array of float32 in C order, `[n, columns]`.
  private func rows(ofNumPyFileAt path: String) throws -> [[Double]] {
    let bytes = try File.bytes(at: path)
    let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
    let header = String(decoding: bytes[10..<start], as: UTF8.self)
    try #require(bytes[6] == 1 && header.contains("'<f4'") && header.contains("'fortran_order': False"))
    let columns = try #require(header.firstMatch(of: /, ?(\d+)\)/).flatMap { Int($0.1) })
    let values = stride(from: start, to: bytes.count, by: 4).map { place in
      Double(Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * $1) }))
    }
    return stride(from: 0, to: values.count, by: columns).map { Array(values[$0..<$0 + columns]) }
  }

  @Test("DeepSORT's rows are those of the authors' tracker") func deepSORT() throws {
    let folder = Samples.path("mot_TUD-Campus/deepsort")
    let input = try rows(ofNumPyFileAt: "\(folder)/input.npy")
    try #require(input.count == 321 && input[0].count == 138)
    var tracker = DeepSORT()
    let found = (1...71).map { frame in
      let rows = input.filter { $0[0] == Double(frame) }
      let detections = rows.map { DetectedBox(BoundingBox(x: $0[2], y: $0[3], width: $0[4], height: $0[5]), score: $0[6]) }
      return tracker.update(detections, appearance: rows.map { Array($0[10...]) })
    }
    let expected = try MOTFile.result(at: "\(folder)/expected.txt", length: 71)
    let largest = try #require(difference(found, expected), "other rows than the authors'")
    #expect(largest <= 0.02)
    #expect(found.joined().count == 288)
  }

  // MARK: Speed

  /// Processor time of this thread, so that others at work do not count.
  private func processorSeconds(_ body: () throws -> Void) rethrows -> Double {
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }
    let start = now()
    try body()
    return now() - start
  }

  @Test("three results of MOT17-09 are read and evaluated in under a second", .enabled(if: !BuildKind.isDebug))
  func evaluationSpeed() throws {
    let time = try processorSeconds {
      for name in ["MPNTrack", "devkit_MOT16-09", "sort"] {
        _ = TrackingMetrics(try comparison("mot_MOT17-09-FRCNN/results/\(name).txt"))
      }
    }
    print("evaluation of three results of MOT17-09: \(time) s of processor time")
    #expect(time < 1)
  }

  @Test("SORT tracks more than 2,000 frames a second", .enabled(if: !BuildKind.isDebug)) func trackingSpeed() throws {
    let frames = try MOTSequence(folder: Samples.path("mot_MOT17-09-FRCNN")).detections()
    var tracker = SORT()
    let time = processorSeconds { for frame in frames { _ = tracker.update(frame) } }
    print("SORT: \(Double(frames.count) / time) frames a second of processor time")
    #expect(time < Double(frames.count) / 2000)
  }
}
