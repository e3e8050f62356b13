import Foundation
import Testing
import TestSupport

/// `apus track evaluate`.
@Suite struct TrackingEvaluationTests {
  /// Two objects in four frames, of which a tracker takes over the second one's identity half-way.
  private static let truth = (1...4).flatMap { ["\($0),1,10,10,20,40,1,1,1", "\($0),2,100,10,20,40,1,1,1"] }.joined(separator: "\n")
  private static let result = (1...4).flatMap { frame in
    ["\(frame),7.0,10,10,20,40,1,-1,-1,-1", "\(frame),\(frame < 3 ? 8 : 9).0,100,10,20,40,1,-1,-1,-1"]
  }.joined(separator: "\r\n")

  private func workplace() throws -> Workplace {
    let place = try Workplace()
    try place.write("gt/A/seqinfo.ini", "[Sequence]\nseqLength=4\n")
    try place.write("gt/A/gt/gt.txt", Self.truth)
    try place.write("found/A.txt", Self.result)
    return place
  }

  private struct Judged: Decodable {
    struct Tracker: Decodable {
      let name: String
      let combined: [String: Double]
      let sequences: [Row]
    }

    struct Row: Decodable {
      let name: String
      let metrics: [String: Double]
    }

    let results: [Tracker]
  }

  private func judged(_ outcome: Outcome) throws -> [Judged.Tracker] {
    try #require(outcome.exit == 0, "\(outcome.errors)")
    return try JSONDecoder().decode(Judged.self, from: Data(outcome.output.utf8)).results
  }

  @Test func sequencesCombineByTheirCounts() throws {
    let place = try workplace()
    // A second sequence of one object in two frames that nothing was found of, but a false box.
    try place.write("gt/B/seqinfo.ini", "[Sequence]\nseqLength=6\n")
    try place.write("gt/B/gt/gt.txt", "2,5,10,10,20,40,1,1,1\n3,5,10,10,20,40,1,1,1\n")
    try place.write("found/B.txt", "2,1,300,10,20,40,1,-1,-1,-1\n3,1,300,10,20,40,1,-1,-1,-1\n5,1,300,10,20,40,1,-1,-1,-1\n")
    let tracker = try #require(judged(place.apus("track", "evaluate", "--gt", "gt", "--results", "found", "--json")).first)
    #expect(tracker.name == "found" && tracker.sequences.map(\.name) == ["A", "B"])
    let (a, b, all) = (tracker.sequences[0].metrics, tracker.sequences[1].metrics, tracker.combined)
    #expect(a["MOTA"] == 87.5 && a["IDsw"] == 1 && a["IDF1"] == 75 && a["MOTP"] == 100)
    #expect(b["MOTA"] == -150 && b["FN"] == 2 && b["FP"] == 3 && b["HOTA"] == 0 && b["frames"] == 6)
    #expect(all["TP"] == 8 && all["MOTA"] == 40 && all["GT_Dets"] == 10 && all["IDs"] == 4 && all["FAF"] == 0.3)
    let table = try place.apus("track", "evaluate", "--gt", "gt", "--results", "found", "--out", "scores")
    expectSuccess(table)
    for word in ["MOT17 by the official rule", "higher is better", "HOTALocA(0)", "COMBINED", "-150.000", "IDF1"] {
      #expect(table.output.contains(word), "\(word) in \(table.output)")
    }
    #expect(try place.names(in: "scores") == ["hota.png", "hota.svg", "metrics.csv", "metrics.json"])
    let rows = try place.text("scores/metrics.csv").split(separator: "\n").map { $0.split(separator: ",") }
    #expect(rows.count == 4 && rows[1].prefix(2) == ["found", "A"] && rows[3][1] == "COMBINED" && Set(rows.map(\.count)).count == 1)
  }

  @Test func plainFilesNeedNoLayout() throws {
    let place = try workplace()
    try place.write("plain/NAME.txt", Self.truth)
    try place.write("mine/data/NAME.txt", Self.result)
    let tracker = try #require(judged(place.apus("track", "evaluate", "--gt", "plain", "--results", "mine", "--json")).first)
    #expect(tracker.sequences.map(\.name) == ["NAME"] && tracker.combined["MOTA"] == 87.5)
    let arguments = ["track", "evaluate", "--gt", "gt/A/gt/gt.txt", "--results", "found/A.txt", "mine/data/NAME.txt", "--json"]
    let file = try judged(place.apus(arguments))
    #expect(file.map(\.name) == ["A", "NAME"] && file.allSatisfy { $0.combined["MOTA"] == 87.5 })
  }

  @Test func emptyFilesAndMissingOnes() throws {
    let place = try workplace()
    try place.write("found/A.txt", "")
    let empty = try #require(judged(place.apus("track", "evaluate", "--gt", "gt/A", "--results", "found", "--json")).first)
    #expect(empty.combined["MOTA"] == 0 && empty.combined["FN"] == 8 && empty.combined["HOTA"] == 0 && empty.combined["ML"] == 2)
    try place.write("found/A.txt", Self.result)
    try place.write("gt/A/gt/gt.txt", "")
    let alone = try #require(judged(place.apus("track", "evaluate", "--gt", "gt", "--results", "found", "--json")).first)
    #expect(alone.combined["FP"] == 8 && alone.combined["MOTA"] == 0 && alone.combined["IDF1"] == 0)
    try place.remove("found/A.txt")
    try place.write("found/C.txt", "")
    let missing = try place.apus("track", "evaluate", "--gt", "gt", "--results", "found")
    expectFailure(missing, 66, "1 of 1 sequences have no result: A", "empty file")
    expectFailure(try place.apus("track", "evaluate", "--gt", "gt", "--results", "nowhere"), 66, "nowhere")
    expectFailure(try place.apus("track", "evaluate", "--gt", "nowhere", "--results", "found"), 66, "nowhere")
    expectFailure(try place.apus("track", "evaluate", "--gt", "gt", "--results", "found", "--rule", "exact"), 64, "py-motmetrics")
    expectFailure(try place.apus("track", "evaluate", "--gt", "gt", "--results", "found", "--benchmark", "MOT18"), 64, "MOT20")
  }

  @Test(arguments: [
    ("found/A.txt", "1,7,10,10,20,40,1,-1,-1,-1\n2,7,10,10,20,40,1,-1,-1,-1\n2,7.0,50,10,20,40,1,-1,-1,-1",
     ["found/A.txt:3", "the id 7 is in frame 2 already, in line 2"]),
    ("found/A.txt", "0,7,10,10,20,40,1,-1,-1,-1", ["found/A.txt:1", "the frame is 0", "Frames count from 1"]),
    ("found/A.txt", "1,7,10,10,20,40,1,-1,-1,-1\n5,7,10,10,20,40,1,-1,-1,-1", ["found/A.txt:2", "the frame is 5", "the sequence has 4"]),
    ("found/A.txt", "1,7,10,10,20,0,1,-1,-1,-1", ["found/A.txt:1", "20.0 x 0.0", "above 0"]),
    ("found/A.txt", "1,7.5,10,10,20,40,1,-1,-1,-1", ["found/A.txt:1", "7.5", "whole number"]),
    ("found/A.txt", "1,-1,10,10,20,40,1,-1,-1,-1", ["found/A.txt:1", "the id is -1"]),
    ("found/A.txt", "1,7,10,10,20,40,1,3,-1,-1", ["found/A.txt:1", "column 8 (class) is 3"]),
    ("found/A.txt", "1,7,nan,10,20,40,1,-1,-1,-1", ["found/A.txt:1", "finite"]),
    ("gt/A/gt/gt.txt", "1,1,10,10,20,40,1,1,1\n1,2,10,10,20,40,1,1,1\n1,1,90,10,20,40,1,1,1",
     ["gt/A/gt/gt.txt:3", "the id 1 is in frame 1 already, in line 1"]),
    ("gt/A/gt/gt.txt", "1,1,10,10,20,40,1,14,1", ["gt/A/gt/gt.txt:1", "the class is 14", "1 to 13"]),
    ("gt/A/gt/gt.txt", "7,1,10,10,20,40,1,1,1", ["gt/A/gt/gt.txt:1", "the frame is 7"]),
    ("gt/A/gt/gt.txt", "1,1,10,10,-20,40,1,1,1", ["gt/A/gt/gt.txt:1", "-20.0 x 40.0"]),
    ("gt/A/seqinfo.ini", "[Sequence]\nname=A\n", ["seqinfo.ini", "seqLength"]),
  ]) func brokenFilesAreRefused(file: String, content: String, words: [String]) throws {
    let place = try workplace()
    try place.write(file, content)
    let outcome = try place.apus("track", "evaluate", "--gt", "gt", "--results", "found")
    expectFailure(outcome, 65)
    for word in words { #expect(outcome.errors.contains(word), "'\(word)' in: \(outcome.errors)") }
  }

  @Test(.enabled(if: Samples.areThere)) func publishedResultsHaveTheirPublishedFigures() throws {
    let place = try Workplace()
    let sequence = Samples.path("mot_MOT17-09-FRCNN")
    let files = ["MPNTrack", "devkit_MOT16-09", "sort"].map { "\(sequence)/results/\($0).txt" }
    // The folder's name tells no benchmark: its nine columns do.
    let arguments = ["track", "evaluate", "--gt", sequence, "--results"] + files + ["--json"]
    let official = try judged(place.apus(arguments))
    #expect(official.map(\.name) == ["MPNTrack", "devkit_MOT16-09", "sort"])
    for (tracker, expected) in zip(official, [(61.439, 70.160, 72.698), (31.611, 34.216, 41.750), (43.719, 53.033, 50.067)]) {
      for (name, value) in [("HOTA", expected.0), ("MOTA", expected.1), ("IDF1", expected.2)] {
        #expect(try abs(#require(tracker.combined[name]) - value) < 0.51e-3, "\(tracker.name): \(name)")
      }
    }
    #expect(official[1].combined["removed"] == 677)
    let plain = try judged(place.apus(arguments + ["--no-preprocessing"]))
    #expect(plain[1].combined["FP"] == 1112 && plain[1].combined["removed"] == 0)
    let other = try judged(place.apus(arguments + ["--rule", "py-motmetrics"]))
    #expect(other[2].combined["MT"] == 6 && other[2].combined["ascend"] == 28)
    #expect(try abs(#require(other[2].combined["MOTP"]) - 9.224) < 0.51e-3)
    // MOT15 knows no classes: all that is flagged counts, and nothing is removed.
    let flagged = try judged(place.apus(arguments + ["--benchmark", "MOT15"]))
    #expect(flagged[1].combined["FP"] == 1112 && flagged[1].combined["removed"] == 0)
  }
}
