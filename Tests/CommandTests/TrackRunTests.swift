import Base
import Data
import Foundation
import Testing
import Vision

/// `apus track run`, and `apus evaluate` with the config of a tracker.
@Suite struct TrackRunTests {
  private static let configs = "\(Workplace.checkout)/configs/tracking"

  /// Every kind of tracker that needs no network; states of short tracks and coasting included.
  private static let settings: [[String]] = [
    [], ["--set", "kind=parts", "--set", "affinity.mahalanobis=0.5", "--set", "association.cascade=true", "--set", "tracks.coasting=3"],
    ["--set", "kind=parts", "--set", "association.method=greedy", "--set", "association.iou_stage=true", "--set", "tracks.motion=sort"],
    ["--set", "kind=deepsort"],
  ]

  private func run(_ place: Workplace, _ source: String, _ out: String, _ more: [String] = []) throws -> Outcome {
    try place.apus(["track", "run", "\(Self.configs)/sort.yaml", "--source", source, "--out", out] + more)
  }

  // MARK: Results

  @Test func aSequenceGetsItsFiles() throws {
    let place = try Workplace()
    try place.writeSequence("walk", frames: 20)
    let outcome = try run(place, "walk", "tracks")
    expectSuccess(outcome)
    #expect(outcome.outputLines.first?.hasPrefix("1 results in tracks: NAME.txt") == true, "\(outcome.output)")
    let result = try MOTFile.result(at: place.path("tracks/walk.txt"), length: 20)
    var tracker = SORT()
    let detections = try MOTFile.detections(at: place.path("walk/det/det.txt"), length: 20)
    #expect(try place.text("tracks/walk.txt") == MOTFile.text(of: detections.map { tracker.update($0) }))
    #expect(result.joined().count > 20)
    let table = try place.text("tracks/walk.csv").split(separator: "\n")
    #expect(table.first == "frame,id,left,top,width,height,score,class,detection,coasted" && table.count == result.joined().count + 1)
    let names = try place.names(in: "tracks").filter { !$0.hasPrefix(".apus-predict") }
    #expect(names == ["walk.csv", "walk.txt"])
  }

  /// What stands in the rows of the first frames does not depend on how many frames follow.
  @Test(arguments: settings) func onlineResultsKnowNothingOfTheFuture(settings: [String]) throws {
    let place = try Workplace()
    try place.writeSequence("all/walk", frames: 30)
    try place.writeSequence("some/walk", frames: 13)
    for name in ["all", "some"] { expectSuccess(try run(place, name, "out-\(name)", settings)) }
    let whole = try place.text("out-all/walk.csv").split(separator: "\n").filter { line in
      line.prefix { $0 != "," }.allSatisfy(\.isNumber) ? Int(line.prefix { $0 != "," }).map { $0 <= 13 } == true : true
    }
    #expect(try place.text("out-some/walk.csv").split(separator: "\n") == whole)
    #expect(whole.count > 10)
  }

  @Test func coastedBoxesAreFlagged() throws {
    let place = try Workplace()
    try place.writeSequence("walk", frames: 20)
    expectSuccess(try run(place, "walk", "out", ["--set", "kind=parts", "--set", "tracks.coasting=2"]))
    let rows = try place.text("out/walk.csv").split(separator: "\n").dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    let coasted = rows.filter { $0[9] == "1" }
    #expect(!coasted.isEmpty && coasted.allSatisfy { $0[8].isEmpty } && rows.contains { $0[9] == "0" && $0[8] == "2" })
    #expect(coasted.contains { $0[0] == "6" }, "the frame without detections")
  }

  @Test func aBatchTrackerFillsGaps() throws {
    let place = try Workplace()
    try place.writeSequence("walk", frames: 30)
    expectSuccess(try place.apus("track", "run", "\(Self.configs)/batch-flow.yaml", "--source", "walk", "--out", "out"))
    let result = try MOTFile.result(at: place.path("out/walk.txt"), length: 30)
    #expect(result[5].count == 3 && Set(result.joined().map(\.id)).count == 3)
  }

  // MARK: Stopping

  @Test func finishedSequencesAreLeftAlone() throws {
    let place = try Workplace()
    for name in ["a", "b"] { try place.writeSequence("set/\(name)", frames: 12) }
    expectSuccess(try run(place, "set", "out"))
    let whole = try place.bytes("out/b.txt")
    try place.remove("out/b.csv")
    try place.write("out/a.txt", "kept\n")
    let again = try run(place, "set", "out")
    expectSuccess(again)
    #expect(again.outputLines.last == "1 of them were there already")
    #expect(try place.text("out/a.txt") == "kept\n")
    expectEqualBytes(try place.bytes("out/b.txt"), whole, "b.txt")
    // Other settings make everything anew.
    expectSuccess(try run(place, "set", "out", ["--set", "sort.max_age=2"]))
    #expect(try place.text("out/a.txt") != "kept\n")
  }

  @Test func killedAndResumed() throws {
    let place = try Workplace()
    try place.writeSequence("walk", frames: 2000, pictures: true)
    let arguments = ["--pictures", "--set", "kind=parts", "--set", "tracks.coasting=2"]
    expectSuccess(try run(place, "walk", "whole", arguments))
    let command = try place.start(["track", "run", "\(Self.configs)/sort.yaml", "--source", "walk", "--out", "parts"] + arguments)
    while command.isRunning, !place.exists("parts/.apus-track-walk.json") { usleep(1000) }
    command.send(SIGKILL)
    #expect(try command.wait().signal == SIGKILL)
    #expect(!place.exists("parts/walk.txt"))
    // What was drawn before is not drawn again: the run goes on from its state.
    try place.write("parts/walk/000001.jpg", "seen")
    expectSuccess(try run(place, "walk", "parts", arguments))
    #expect(try place.text("parts/walk/000001.jpg") == "seen")
    for name in ["walk.txt", "walk.csv", "walk/002000.jpg"] {
      expectEqualBytes(try place.bytes("parts/\(name)"), try place.bytes("whole/\(name)"), name)
    }
    let left = try place.names(in: "parts").filter { $0.hasPrefix(".apus-track") }
    #expect(left.isEmpty)
  }

  // MARK: Pictures and networks

  @Test func framesAreNotDrawnOver() throws {
    let place = try Workplace()
    try place.writeSequence("walk", frames: 3, pictures: true)
    let picture = try place.bytes("walk/img1/000001.jpg")
    try place.write("found/img1.txt", place.text("walk/det/det.txt"))
    let outcome = try run(place, "walk/img1", "walk", ["--pictures", "--set", "detector.path=found"])
    expectFailure(outcome, 64, "the drawn frames would land among the pictures of img1", "Choose another --out")
    expectEqualBytes(try place.bytes("walk/img1/000001.jpg"), picture, "the frame")
  }

  @Test func fewerPicturesThanFramesAreTold() throws {
    let place = try Workplace()
    try place.writeSequence("walk", frames: 5, pictures: true)
    try FileManager.default.removeItem(atPath: place.path("walk/img1/000005.jpg"))
    let outcome = try run(place, "walk", "out", ["--pictures"])
    #expect(outcome.exit == 0)
    #expect(outcome.errors.contains("walk has pictures of 4 frames, and 5 by its seqinfo.ini"), "\(outcome.errors)")
  }

  @Test func everyFrameIsDrawn() throws {
    let place = try Workplace()
    try place.writeSequence("walk", frames: 9, pictures: true)
    expectSuccess(try run(place, "walk", "out", ["--pictures"]))
    #expect(try place.names(in: "out/walk").count == 9)
    let drawn = try Image(contentsOf: place.path("out/walk/000009.jpg"))
    #expect(drawn.width == 136 && drawn.height == 128)
    let original = try Image(contentsOf: place.path("walk/img1/000009.jpg"))
    #expect(drawn != original)
  }

  /// Untrained networks: their parts run, and the frames that they see do not depend on where a run begins.
  @Test func networksOfOtherTasksTakePart() throws {
    let place = try Workplace()
    try place.trainBriefly()
    try place.prepareDetection(plan: "steps: 2, log_every: 1, evaluate_every: 0, save_every: 0")
    expectSuccess(try place.apus("train", "detr.yaml", "--work-dir", "detr"))
    try place.writeSequence("walk", frames: 4, pictures: true)
    try place.write("flow.yaml", """
      task: tracking
      kind: parts
      detector: {kind: detr, config: detr/config.yaml, weights: detr, threshold: 0, batch_size: 3}
      networks: {flow: {config: run/config.yaml, weights: run}}
      affinity: {flow: 1, iou: 0.5}
      tracks: {min_score: 0, birth_score: 0, confirmation_hits: 1}

      """)
    expectSuccess(try place.apus("track", "run", "flow.yaml", "--source", "walk", "--out", "out"))
    let rows = try place.text("out/walk.csv").split(separator: "\n").dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(!rows.isEmpty && rows.allSatisfy { ["3", "7", "20"].contains($0[7]) }, "the categories of the detector")
    // A folder of pictures is as good as a sequence.
    expectSuccess(try place.apus("track", "run", "flow.yaml", "--source", "walk/img1", "--out", "plain"))
    expectEqualBytes(try place.bytes("plain/img1.txt"), try place.bytes("out/walk.txt"), "img1.txt")
  }

  /// Untrained networks of boxes alone: no picture is looked at, and a track may be lost for longer than the network looks back.
  @Test(arguments: ["lstm", "learned"]) func networksOfBoxesTakePart(name: String) throws {
    let place = try Workplace()
    try place.writeSequence("walk", frames: 60)
    let (config, root) = ("\(Self.configs)/\(name == "lstm" ? "motion" : "affinity")-demo.yaml", "walk")
    let training = ["--set", "data.root=\(root)", "--set", "validation.root=\(root)", "--steps", "2", "--set", "plan.evaluate_every=0"]
    let trained = try place.apus(["train", config, "--work-dir", "net", "--threads", "1"] + training)
    #expect(trained.exit == 0, "\(trained.errors)")
    let networks = ["networks.\(name).config=net/config.yaml", "networks.\(name).weights=net", "affinity.\(name)=1", "tracks.max_age=60"]
    let outcome = try run(place, "walk", "out", (["kind=parts", "affinity.iou=0.5"] + networks).flatMap { ["--set", $0] })
    expectSuccess(outcome)
    #expect(try !place.text("out/walk.txt").isEmpty)
  }

  // MARK: Evaluation

  @Test func evaluationRunsTheTracker() throws {
    let place = try Workplace()
    for name in ["MOT17-a", "MOT17-b"] { try place.writeSequence("set/\(name)", frames: name == "MOT17-a" ? 20 : 30) }
    let config = "\(Self.configs)/sort.yaml"
    let outcome = try place.apus("evaluate", config, "--set", "validation.root=set", "--samples", "s.csv", "--results", "found")
    expectSuccess(outcome)
    for word in ["HOTA", "MOTA", "IDF1", "IDsw", "Frag", "MOT17-b", "COMBINED"] { #expect(outcome.output.contains(word), "\(outcome.output)") }
    #expect(try place.text("s.csv").split(separator: "\n").count == 3)
    expectSuccess(try run(place, "set", "tracks"))
    expectEqualBytes(try place.bytes("found/MOT17-a.txt"), try place.bytes("tracks/MOT17-a.txt"), "MOT17-a.txt")
    let one = try place.apus("evaluate", config, "--set", "validation.root=set", "--set", "validation.sequences=[MOT17-a]", "--json")
    expectSuccess(one)
    #expect(one.output.contains("\"frames\": 20.0"), "\(one.output)")
    expectFailure(try place.apus("evaluate", config), 64, "validation.root", "Name a folder of sequences")
    expectFailure(try place.apus("evaluate", config, "--set", "validation.root=set", "--set", "validation.sequences=[MOT17-c]"), 66, "MOT17-c")
    expectFailure(try place.apus("evaluate", config, "--set", "validation.root=set", "--weights", "w"), 64, "Leave --weights out")
  }

  // MARK: Mistakes

  @Test func trainingSaysWhatToDoInstead() throws {
    let place = try Workplace()
    let config = "\(Self.configs)/sort.yaml"
    for arguments in [["train", config], ["inspect", config], ["predict", config, "--weights", "w", "--source", "s", "--out", "o"]] {
      expectFailure(try place.apus(arguments), 64, "has no network of its own", "apus track run")
    }
    try place.generatePairs()
    expectFailure(try place.apus("track", "run", "config.yaml", "--source", "pairs", "--out", "o"), 64, "the task of this config is 'optical_flow'")
    expectFailure(try place.apus("evaluate", "config.yaml"), 64, "--weights")
  }

  @Test func missingPartsAreTold() throws {
    let place = try Workplace()
    try place.writeSequence("walk", frames: 5)
    func failure(_ code: Int32, _ words: String, _ more: [String] = [], source: String = "walk", line: Int = #line) throws {
      let outcome = try run(place, source, "out", more)
      #expect(outcome.exit == code && outcome.errors.contains(words), "line \(line): \(outcome.errors)")
    }
    func set(_ values: String...) -> [String] { values.flatMap { ["--set", $0] } }
    try failure(64, "unknown key 'affinity.iuo'", set("kind=parts", "affinity.iuo=1"))
    try failure(64, "'affinity.flow' is 1.0; allowed: 0 without a network", set("kind=parts", "affinity.flow=1"))
    try failure(64, "'affinity.appearance' is 1.0", set("kind=parts", "affinity.appearance=1"))
    try failure(64, "'networks.flow.weights' is ''", set("networks.flow.config=\(Workplace.checkout)/configs/raft/demo.yaml"))
    let flow = set("kind=parts", "affinity.flow=1", "networks.flow.config=config.yaml", "networks.flow.weights=nowhere.pth")
    try failure(66, "nowhere.pth", flow)
    try failure(64, "networks.flow.config: \(Self.configs)/sort.yaml is of the task 'tracking'",
                set("kind=parts", "affinity.flow=1", "networks.flow.config=\(Self.configs)/sort.yaml", "networks.flow.weights=w"))
    try place.trainBriefly()
    try failure(66, "the sequence walk has no pictures", set("kind=parts", "affinity.flow=1", "networks.flow.config=config.yaml", "networks.flow.weights=run"))
    try failure(66, "there are no pictures to draw on", ["--pictures"])
    try failure(66, "there is no such folder", source: "nowhere")
    try failure(66, "Expected a sequence", source: "logs")
    try place.remove("walk/det/det.txt")
    try failure(66, "det.txt")
    #expect(!place.exists("out/walk.txt"))
  }
}
