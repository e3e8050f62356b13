import Base
import Foundation
import Vision

/// Text files of the MOTChallenge: detections, ground truth and results.
///
/// Boxes are `left, top, width, height` as written: the files count pixels from 1, and nothing is subtracted. Frames count from 1 in the
/// files; arrays have one element for each frame, the first one for frame 1. Rows may be in any order.
public enum MOTFile {
  private static let boxColumns = ["frame", "id", "left", "top", "width", "height"]
  private static let detectionColumns = boxColumns + ["score", "x", "y", "z"]
  private static let resultColumns = boxColumns + ["score", "class or x", "y", "z"]
  private static let plainTruthColumns = boxColumns + ["flag", "x", "y", "z"]
  private static let truthColumns = boxColumns + ["flag", "class", "visibility"]

  /// The detections of `det.txt`, frame by frame in the order of the file.
  /// - Parameter length: of the sequence in frames; nil: up to the last frame of the file.
  /// - Throws: `.missingInput` or `.inputOutput` if it cannot be read; `.badData` with the line for broken rows, frames outside of the
  ///   sequence and boxes without size.
  public static func detections(at path: String, length: Int? = nil) throws -> [[DetectedBox]] {
    let table = try MOTTable(contentsOf: path, names: detectionColumns)
    try table.require(columns: 7...10, detectionColumns)
    var frames = [[DetectedBox]](repeating: [], count: try table.frameCount(length: length))
    for row in 0..<table.count {
      frames[try table.frame(row, length: length) - 1].append(DetectedBox(try table.box(row), score: table.value(row, 6)))
    }
    return frames
  }

  /// The result of a tracker, frame by frame in the order of the file.
  /// - Parameter length: of the sequence in frames; nil: up to the last frame of the file.
  /// - Throws: as `detections(at:length:)`; also for ids that are negative, no whole number or twice in a frame, and for other classes
  ///   than 1 in the eighth column.
  public static func result(at path: String, length: Int? = nil) throws -> [[TrackedBox]] {
    let table = try MOTTable(contentsOf: path, names: resultColumns)
    try table.require(columns: 7...10, resultColumns)
    var frames = [[TrackedBox]](repeating: [], count: try table.frameCount(length: length))
    var entries: [(frame: Int, id: Int)] = []
    for row in 0..<table.count {
      let frame = try table.frame(row, length: length)
      let box = TrackedBox(id: try table.id(row), box: try table.box(row), score: table.value(row, 6))
      if table.columns >= 8, table.value(row, 7) >= 2 {
        throw table.failure(row, "column 8 (class) is \(table.value(row, 7)), expected 1 (pedestrian) or -1",
                            remedy: "The benchmarks judge pedestrians only: leave other classes out.")
      }
      frames[frame - 1].append(box)
      entries.append((frame, box.id))
    }
    try table.requireUnique(entries)
    return frames
  }

  /// The ground truth of `gt.txt`, with the boxes that do not count, frame by frame in the order of the file.
  /// - Parameter length: of the sequence in frames; nil: up to the last frame of the file.
  /// - Throws: as `result(at:length:)`; also for unknown classes.
  public static func truth(at path: String, benchmark: TrackingBenchmark, length: Int? = nil) throws -> [[TruthBox]] {
    let names = benchmark.hasClasses ? truthColumns : plainTruthColumns
    let table = try MOTTable(contentsOf: path, names: names)
    try table.require(columns: benchmark.hasClasses ? 8...9 : 7...10, names)
    var frames = [[TruthBox]](repeating: [], count: try table.frameCount(length: length))
    var entries: [(frame: Int, id: Int)] = []
    for row in 0..<table.count {
      let frame = try table.frame(row, length: length)
      var box = TruthBox(id: try table.id(row), box: try table.box(row), isEvaluated: abs(table.value(row, 6)) >= 1)
      if benchmark.hasClasses {
        box.category = try category(table, row)
        if table.columns == 9 { box.visibility = table.value(row, 8) }
      }
      frames[frame - 1].append(box)
      entries.append((frame, box.id))
    }
    try table.requireUnique(entries)
    return frames
  }

  private static func category(_ table: MOTTable, _ row: Int) throws -> TrackingClass {
    guard let category = Int(exactly: table.value(row, 7)).flatMap(TrackingClass.init) else {
      throw table.failure(row, "the class is \(table.value(row, 7)), expected 1 to \(TrackingClass.allCases.count)",
                          remedy: "Ground truth of MOT15 has no classes: choose that benchmark if this is one of its files.")
    }
    return category
  }

  /// The rules that a ground truth of an unknown benchmark is made for: MOT17's if it has nine columns, with class and visibility, else
  /// MOT15's.
  /// - Throws: as `truth(at:benchmark:length:)` for broken rows.
  public static func benchmark(ofTruthAt path: String) throws -> TrackingBenchmark {
    try MOTTable(contentsOf: path, names: truthColumns).columns == truthColumns.count ? .mot17 : .mot15
  }

  // MARK: Writing

  /// Writes a result, as the benchmarks take it: ten columns, boxes with two decimals.
  /// - Precondition: boxes are finite and have a size, ids are 0 or more, and none is twice in a frame.
  /// - Throws: `.cannotCreate` or `.inputOutput` if it cannot be written.
  public static func write(_ frames: [[TrackedBox]], to path: String) throws { try AtomicFile.write(text(of: frames), to: path) }

  /// The content of a result file.
  public static func text(of frames: [[TrackedBox]]) -> String {
    frames.enumerated().map { text(of: $1, frame: $0 + 1) }.joined()
  }

  /// The rows of one frame, which counts from 1.
  public static func text(of boxes: [TrackedBox], frame: Int) -> String {
    require(Set(boxes.map(\.id)).count == boxes.count, "MOTFile: an id is twice in frame \(frame)")
    return boxes.map { row($0, frame: frame) }.joined()
  }

  private static func row(_ box: TrackedBox, frame: Int) -> String {
    require(box.id >= 0 && box.score.isFinite, "MOTFile: \(box) cannot be written")
    return "\(frame),\(box.id),\(text(of: box.box)),\(String(format: "%.6g", box.score)),-1,-1,-1\n"
  }
}
