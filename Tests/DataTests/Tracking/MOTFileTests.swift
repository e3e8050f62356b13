import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

@Suite("MOT files") struct MOTFileTests {
  private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.txt"
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      return try body(path)
    }
  }

  @Test("rows in any order, CRLF, blanks, empty lines, a comma at the end and numbers of every form") func forms() throws {
    let text = "3,-1,10.5, 20 ,30,40,0.5\r\n\r\n1,-1,-1e1,+2.5E0,1234567890123456789,.5,-0.25,\r\n  \n1,-1,0,0,1,1,1\n\n\n"
    try withFile(text) { path in
      let frames = try MOTFile.detections(at: path, length: 4)
      #expect(frames.map(\.count) == [2, 0, 1, 0])
      #expect(frames[2] == [DetectedBox(BoundingBox(x: 10.5, y: 20, width: 30, height: 40), score: 0.5)])
      #expect(frames[0][0] == DetectedBox(BoundingBox(x: -10, y: 2.5, width: 1234567890123456768, height: 0.5), score: -0.25))
      #expect(try MOTFile.detections(at: path).count == 3)
    }
  }

  @Test("numbers are the nearest ones") func numbers() throws {
    for text in ["0.1", "123456.789012", "1291.064208984375", "0.000000000000001", "999999999999999", "100000.0000000001", "35.30", "1."] {
      try withFile("1,1,\(text),-\(text),1,1,1") { path in
        let box = try MOTFile.result(at: path)[0][0].box
        #expect(box.x == Double(text) ?? Double(text + "0") && box.y == -box.x, "\(text)")
      }
    }
  }

  @Test("ids may be floats") func floatIDs() throws {
    try withFile("1,12.0,0,0,1,1,1,-1,-1,-1\n2,12,0,0,1,1,1,-1,-1,-1\n1,0.0,0,0,1,1,1,1,-1,-1") { path in
      let ids = try MOTFile.result(at: path).map { $0.map(\.id) }
      #expect(ids == [[12, 0], [12]])
    }
  }

  @Test("empty files are results, and truth, without boxes") func empty() throws {
    for text in ["", "\n\n", " \r\n"] {
      try withFile(text) { path in
        let result = try MOTFile.result(at: path, length: 3)
        #expect(result == [[], [], []])
        #expect(try MOTFile.truth(at: path, benchmark: .mot17).isEmpty)
        #expect(try MOTFile.detections(at: path, length: 2) == [[], []])
      }
    }
  }

  @Test func truth() throws {
    try withFile("1,1,10,20,30,40,1,1,0.86\n1,2,10,20,30,40,0,8,0") { path in
      let boxes = try MOTFile.truth(at: path, benchmark: .mot17)[0]
      #expect(boxes.map(\.category) == [.pedestrian, .distractor])
      #expect(boxes.map(\.isEvaluated) == [true, false] && boxes.map(\.visibility) == [0.86, 0])
      #expect(try MOTFile.benchmark(ofTruthAt: path) == .mot17)
    }
    // MOT15: world coordinates follow the flag.
    try withFile("1,1,10,20,30,40,1,-4.5,17,0\n1,2,10,20,30,40,0,-1,-1,-1") { path in
      let boxes = try MOTFile.truth(at: path, benchmark: .mot15)[0]
      #expect(boxes.map(\.category) == [.pedestrian, .pedestrian] && boxes.map(\.isEvaluated) == [true, false])
      #expect(try MOTFile.benchmark(ofTruthAt: path) == .mot15)
    }
  }

  // MARK: Refusals

  static let good = "1,7,10,20,30,40,1,-1,-1,-1\n"

  @Test("a broken result is refused with its line and what is wrong", arguments: [
    ("2,7,10,20,30,40,1,-1,-1,-1\n\n2,7,1,2,3,4,1,-1,-1,-1", "a.txt:4: the id 7 is in frame 2 already, in line 2"),
    ("1,7.0,1,2,3,4,1,-1,-1,-1", "a.txt:2: the id 7 is in frame 1 already, in line 1"),
    ("0,8,10,20,30,40,1,-1,-1,-1", "a.txt:2: the frame is 0, expected 1 or more"),
    ("-3,8,10,20,30,40,1,-1,-1,-1", "a.txt:2: the frame is -3, expected 1 or more"),
    ("6,8,10,20,30,40,1,-1,-1,-1", "a.txt:2: the frame is 6, but the sequence has 5"),
    ("1.5,8,10,20,30,40,1,-1,-1,-1", "a.txt:2: the frame is 1.5, expected a whole number"),
    ("2,8.25,10,20,30,40,1,-1,-1,-1", "a.txt:2: the id is 8.25, expected a whole number"),
    ("2,-1,10,20,30,40,1,-1,-1,-1", "a.txt:2: the id is -1, expected 0 or more"),
    ("2,1e300,10,20,30,40,1,-1,-1,-1", "a.txt:2: the id is 1e+300, expected a whole number"),
    ("2,8,10,20,0,40,1,-1,-1,-1", "a.txt:2: the box is 0.0 x 40.0 pixels, expected a width and a height above 0"),
    ("2,8,10,20,30,-40,1,-1,-1,-1", "a.txt:2: the box is 30.0 x -40.0 pixels"),
    ("2,8,nan,20,30,40,1,-1,-1,-1", "a.txt:2: column 3 (left) is 'nan', expected a finite number"),
    ("2,8,10,20,inf,40,1,-1,-1,-1", "a.txt:2: column 5 (width) is 'inf', expected a finite number"),
    ("2,8,10,20,1e999,40,1,-1,-1,-1", "a.txt:2: column 5 (width) is '1e999', expected a finite number"),
    ("2,8,ten,20,30,40,1,-1,-1,-1", "a.txt:2: column 3 (left) is 'ten', expected a number"),
    ("2,8,0x10,20,30,40,1,-1,-1,-1", "a.txt:2: column 3 (left) is '0x10', expected a number"),
    ("2,8,,20,30,40,1,-1,-1,-1", "a.txt:2: column 3 (left) is '', expected a number"),
    ("2,8,1.2.3,20,30,40,1,-1,-1,-1", "a.txt:2: column 3 (left) is '1.2.3', expected a number"),
    ("2,8,10,20,30,4", "a.txt:2: 6 columns, expected 10 as in line 1"),
    ("2,8,10,20,30,40,1,3,-1,-1", "a.txt:2: column 8 (class) is 3.0, expected 1 (pedestrian) or -1"),
  ])
  func results(row: String, message: String) throws {
    try withFile(Self.good + row) { path in expectFailure(.badData, message) { try MOTFile.result(at: path, length: 5) } }
  }

  @Test("too few or many columns, and other separators, are told") func columns() throws {
    try withFile("1,1,2,3,4,5") { path in
      expectFailure(.badData, "a.txt:1: 6 columns, expected 7 to 10: frame, id") { try MOTFile.result(at: path) }
    }
    try withFile("1,1,2,3,4,5,1,1,1,1,1") { path in expectFailure(.badData, "11 columns") { try MOTFile.detections(at: path) } }
    try withFile("1 1 2 3 4 5 1") { path in
      expectFailure(.badData, "a.txt:1: column 1 (frame) is '1 1 2 3 4 5 1', expected numbers between commas") {
        try MOTFile.result(at: path)
      }
    }
    try withFile("1,1,10,20,30,40,1") { path in
      expectFailure(.badData, "7 columns, expected 8 to 9") { try MOTFile.truth(at: path, benchmark: .mot20) }
    }
    try withFile("4000000000,1,2,3,4,5,1") { path in expectFailure(.badData, "expected at most 10000000") { try MOTFile.result(at: path) } }
  }

  @Test("unknown classes of the ground truth are refused", arguments: ["0", "14", "-1", "1.5"]) func classes(value: String) throws {
    try withFile("1,1,10,20,30,40,1,1,1\n1,2,10,20,30,40,0,\(value),1") { path in
      expectFailure(.badData, "a.txt:2: the class is \(Double(value) ?? 0), expected 1 to 13") {
        try MOTFile.truth(at: path, benchmark: .mot17)
      }
    }
  }

  @Test("an identity twice in a frame of the ground truth, though one does not count") func truthTwice() throws {
    try withFile("1,3,10,20,30,40,1,1,1\n2,3,10,20,30,40,1,1,1\n1,3,90,20,30,40,0,7,1") { path in
      expectFailure(.badData, "a.txt:3: the id 3 is in frame 1 already, in line 1") { try MOTFile.truth(at: path, benchmark: .mot16) }
    }
  }

  @Test func missing() { expectFailure(.missingInput, "nowhere.txt") { try MOTFile.result(at: "nowhere.txt") } }

  @Test("hundreds of damaged copies are read or refused, and what is read can be tracked and judged") func damaged() throws {
    let sound = (1...4).flatMap { frame in (1...3).map { "\(frame),\($0),\(40 * $0),\(20 + frame),30.5,60,0.9,1,-1,-1\n" } }.joined()
    let truth = try withFile(sound) { try MOTFile.result(at: $0, length: 4) }.map { $0.map { TruthBox(id: $0.id, box: $0.box) } }
    var refused = 0
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.txt"
      for index in 0..<300 {
        try Foundation.Data(Mutation.copy(index, of: Array(sound.utf8))).write(to: URL(filePath: path))
        do {
          let result = try MOTFile.result(at: path, length: 4)
          let metrics = TrackingMetrics(try TrackingComparison(truth: truth, result: result, benchmark: .mot17))
          #expect(metrics.clear.mota <= 1 && metrics.hota.hota <= 1 && metrics.clear.motp <= 1, "copy \(index)")
          var sort = SORT()
          var deep = DeepSORT()
          for boxes in result {
            let detections = boxes.map { DetectedBox($0.box, score: $0.score) }
            let found = sort.update(detections) + deep.update(detections, appearance: boxes.map { [Double($0.id), 1] })
            #expect(found.allSatisfy { $0.box.isFinite && !$0.box.isEmpty }, "copy \(index)")
          }
          _ = MOTFile.text(of: result)
        } catch let failure as Failure {
          refused += 1
          #expect(failure.kind == .badData && failure.place.hasPrefix(path), "\(failure)")
        }
      }
    }
    #expect(refused > 100, "only \(refused) copies were found damaged")
  }

  // MARK: Writing

  @Test("what is written is read again") func roundTrip() throws {
    let box = BoundingBox(x: -3.14159, y: 0.005, width: 0.001, height: 1e6)
    let plain = TrackedBox(id: 1, box: BoundingBox(x: 1, y: 2, width: 3, height: 4))
    let frames = [[TrackedBox(id: 4, box: box, score: 0.123456789)], [], [plain]]
    try withTemporaryFolder { folder in
      let path = "\(folder)/r.txt"
      try MOTFile.write(frames, to: path)
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(text.hasPrefix("1,4,-3.14,0.01,0.01,1000000.00,0.123457,-1,-1,-1\n") || text.hasPrefix("1,4,-3.14,0.00,0.01,"))
      #expect(text.hasSuffix("3,1,1.00,2.00,3.00,4.00,1,-1,-1,-1\n"))
      let read = try MOTFile.result(at: path, length: 3)
      #expect(read.map(\.count) == [1, 0, 1] && read[2] == frames[2])
      #expect(MOTFile.text(of: read) == text)
      try MOTFile.write([[], []], to: path)
      #expect(try MOTFile.result(at: path, length: 2) == [[], []])
    }
  }
}
