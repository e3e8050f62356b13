import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

@Suite("MOT sequences") struct MOTSequenceTests {
  private static let ini = """
    [Sequence]
    name=MOT17-09-FRCNN
    imDir=img1
    frameRate=30
    seqLength=525
    imWidth=1920
    imHeight=1080
    imExt=.jpg


    """

  private func write(_ text: String, _ path: String) throws {
    try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  }

  private func info(_ text: String) throws -> SequenceInfo {
    try withTemporaryFolder { folder in
      try write(text, "\(folder)/seqinfo.ini")
      return try SequenceInfo(contentsOf: "\(folder)/seqinfo.ini")
    }
  }

  @Test func sequenceInfo() throws {
    let full = try info(Self.ini.replacingOccurrences(of: "\n", with: "\r\n"))
    #expect(full.name == "MOT17-09-FRCNN" && full.length == 525 && full.frameRate == 30 && full.width == 1920 && full.height == 1080)
    #expect(full.imageFolder == "img1" && full.imageExtension == ".jpg")
    let short = try info("; a sample\n[Other]\nnonsense\n[Sequence]\n# only two keys\nNAME = TUD-Campus\nseqlength = 71")
    #expect(short.name == "TUD-Campus" && short.length == 71 && short.frameRate == nil && short.width == nil)
  }

  @Test("a broken seqinfo.ini is refused with its line", arguments: [
    ("[Sequence]\nseqLength=0", "seqinfo.ini:2: seqLength is '0', expected a whole number of 1"),
    ("[Sequence]\nname=A\nseqLength=many", "seqinfo.ini:3: seqLength is 'many'"),
    ("[Sequence]\nname=A", "there is no seqLength in the section [Sequence]"),
    ("", "there is no seqLength"),
    ("seqLength=3", "seqinfo.ini:1: 'seqLength=3' stands before the section [Sequence]"),
    ("[Sequence]\nseqLength", "seqinfo.ini:2: 'seqLength' is no line of the form key=value"),
    ("[Sequence]\nseqLength=3\nSeqLength=4", "seqinfo.ini:3: the key SeqLength is there already, in line 2"),
    ("[Sequence]\nseqLength=3\nframeRate=nan", "seqinfo.ini:3: frameRate is 'nan', expected a number above 0"),
    ("[Sequence]\nseqLength=3\nimWidth=-4", "seqinfo.ini:3: imWidth is '-4'"),
    ("[Sequence]\nseqLength=99999999999999999999", "seqinfo.ini:2: seqLength is '99999999999999999999'"),
  ])
  func brokenInfo(text: String, message: String) { expectFailure(.badData, message) { try info(text) } }

  @Test("one sequence, a folder of them, a benchmark with train, and a list of names") func layouts() throws {
    try withTemporaryFolder { root in
      for name in ["MOT17-02-DPM", "MOT17-02-FRCNN", "MOT17-10-SDP"] { try write(Self.ini, "\(root)/MOT17/train/\(name)/seqinfo.ini") }
      try write("1,1,1,1,9,9,1,1,1\n", "\(root)/MOT17/train/MOT17-02-DPM/gt/gt.txt")
      try write("1,-1,1,1,9,9,1\n", "\(root)/MOT17/test/MOT17-01-DPM/det/det.txt")
      try write("", "\(root)/MOT17/train/notes/readme.txt")
      try write("name\nMOT17-10-SDP\r\nMOT17-02-DPM\n\n", "\(root)/map.txt")
      let all = try MOTSequence.all(in: "\(root)/MOT17")
      #expect(all.map(\.name) == ["MOT17-02-DPM", "MOT17-02-FRCNN", "MOT17-10-SDP"])
      #expect(all.map(\.detector) == ["DPM", "FRCNN", "SDP"] && all.allSatisfy { $0.namedBenchmark == .mot17 })
      #expect(try MOTSequence.all(in: "\(root)/MOT17/train") == MOTSequence.all(in: "\(root)/MOT17/train", split: "test"))
      #expect(try MOTSequence.all(in: "\(root)/MOT17", split: "test").map(\.name) == ["MOT17-01-DPM"])
      #expect(try MOTSequence.all(in: all[1].folder) == [all[1]])
      #expect(try MOTSequence.all(in: "\(root)/MOT17", sequenceMap: "\(root)/map.txt").map(\.name) == ["MOT17-10-SDP", "MOT17-02-DPM"])
      #expect(try all[0].truth().count == 525)
      let test = try MOTSequence.all(in: "\(root)/MOT17/test")[0]
      #expect(test.info == nil && test.detector == "DPM")
      #expect(try test.detections().count == 1)
      try write("name\nMOT17-02-DPM\nMOT17-99-DPM\n", "\(root)/map.txt")
      expectFailure(.missingInput, "map.txt:3: there is no sequence MOT17-99-DPM") {
        try MOTSequence.all(in: "\(root)/MOT17", sequenceMap: "\(root)/map.txt")
      }
      expectFailure(.missingInput, "there is no sequence in it", "gt/gt.txt") { try MOTSequence.all(in: "\(root)/MOT17/train/notes") }
      expectFailure(.missingInput, "there is no such folder") { try MOTSequence.all(in: "\(root)/nowhere") }
    }
  }

  @Test("names tell the benchmark, else the columns of the ground truth") func benchmarks() throws {
    try withTemporaryFolder { root in
      for (name, row, expected) in [("MOT16-02", "1,1,1,1,9,9,1,1,1", TrackingBenchmark.mot16), ("MOT20-01", "1,1,1,1,9,9,1,1,1", .mot20),
                                    ("mine", "1,1,1,1,9,9,1,1,1", .mot17), ("TUD-Campus", "1,1,1,1,9,9,1,-1,-1,-1", .mot15)] {
        try write(row, "\(root)/\(name)/gt/gt.txt")
        #expect(try MOTSequence(folder: "\(root)/\(name)").benchmark() == expected, "\(name)")
      }
    }
  }

  @Test func results() throws {
    try withTemporaryFolder { root in
      try write("1,1,1,1,9,9,1,1,1\n3,1,1,1,9,9,1,1,1\n", "\(root)/gt/MOT17-02-DPM/gt/gt.txt")
      let sequence = try MOTSequence(folder: "\(root)/gt/MOT17-02-DPM")
      expectFailure(.missingInput, "there is no result of the sequence MOT17-02-DPM, expected MOT17-02-DPM.txt") {
        try sequence.resultPath(in: "\(root)/found")
      }
      try write("1,5,1,1,9,9,1,-1,-1,-1\n4,5,1,1,9,9,1,-1,-1,-1\n", "\(root)/found/data/MOT17-02-DPM.txt")
      let path = try sequence.resultPath(in: "\(root)/found")
      let metrics = TrackingMetrics(try sequence.comparison(withResultAt: path))
      #expect(metrics.clear.frames == 4 && metrics.clear.truePositives == 1 && metrics.clear.mota == 0)
    }
  }

  @Test("pictures are numbered without a gap") func images() throws {
    try withTemporaryFolder { root in
      try write("[Sequence]\nseqLength=3\n", "\(root)/A/seqinfo.ini")
      let sequence = try MOTSequence(folder: "\(root)/A")
      expectFailure(.missingInput, "img1") { try sequence.images() }
      for name in ["000001", "000002"] { try write("", "\(root)/A/img1/\(name).jpg") }
      #expect(try sequence.images().map { ($0 as NSString).lastPathComponent } == ["000001.jpg", "000002.jpg"])
      try write("", "\(root)/A/img1/000004.jpg")
      expectFailure(.badData, "000004.jpg: this is picture 3 of the folder") { try sequence.images() }
      try write("", "\(root)/A/img1/000003.jpg")
      expectFailure(.badData, "4 pictures, but the sequence has 3 frames") { try sequence.images() }
    }
  }
}
