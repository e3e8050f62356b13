import Base
import Vision

/// A sequence of a tracking benchmark: `NAME/{img1/000001.jpg, det/det.txt, gt/gt.txt, seqinfo.ini}`, each part as far as it is there.
public struct MOTSequence: Sendable, Equatable {
  public let folder: String
  /// The name of the folder, by which results are named.
  public let name: String
  /// nil if there is no `seqinfo.ini`.
  public let info: SequenceInfo?

  /// - Throws: `.missingInput` if there is no such folder; `.badData` if its `seqinfo.ini` is broken.
  public init(folder: String) throws {
    _ = try Folder.entries(in: folder)
    self.folder = folder
    name = Path.name(folder)
    let path = Path.join(folder, "seqinfo.ini")
    info = try File.exists(path) ? SequenceInfo(contentsOf: path) : nil
  }

  public var truthPath: String { Path.join(folder, "gt", "gt.txt") }
  public var detectionPath: String { Path.join(folder, "det", "det.txt") }
  public var imageFolder: String { Path.join(folder, info?.imageFolder ?? "img1") }

  /// The public detector of a sequence of MOT17, by the end of its name: `DPM`, `FRCNN` or `SDP`.
  public var detector: String? {
    guard let end = name.split(separator: "-").last.map(String.init) else { return nil }
    return ["DPM", "FRCNN", "SDP"].contains(end) ? end : nil
  }

  /// The benchmark that the name tells; nil if it tells none.
  public var namedBenchmark: TrackingBenchmark? { Self.benchmark(of: name) }

  /// The benchmark that the name of a sequence tells; nil if it tells none.
  public static func benchmark(of name: String) -> TrackingBenchmark? {
    for (start, benchmark) in [("MOT15-", TrackingBenchmark.mot15), ("MOT16-", .mot16), ("MOT17-", .mot17), ("MOT20-", .mot20)]
    where name.hasPrefix(start) { return benchmark }
    return nil
  }

  /// The benchmark by the name, else by the columns of the ground truth.
  /// - Throws: as `MOTFile.benchmark(ofTruthAt:)`.
  public func benchmark() throws -> TrackingBenchmark { try namedBenchmark ?? MOTFile.benchmark(ofTruthAt: truthPath) }

  /// - Throws: as `MOTFile.detections(at:length:)`.
  public func detections() throws -> [[DetectedBox]] { try MOTFile.detections(at: detectionPath, length: info?.length) }

  /// - Parameter benchmark: nil: by the name or the columns.
  /// - Throws: as `MOTFile.truth(at:benchmark:length:)`.
  public func truth(_ benchmark: TrackingBenchmark? = nil) throws -> [[TruthBox]] {
    try MOTFile.truth(at: truthPath, benchmark: benchmark ?? self.benchmark(), length: info?.length)
  }

  /// The paths of the pictures by frame; fewer than the length if the folder has only the first ones.
  /// - Throws: `.missingInput` if there is none; `.badData` for a name that is no number, a gap, or more than the length.
  public func images() throws -> [String] {
    let files = try Folder.files(in: imageFolder, where: Folder.isPictureName)
    guard !files.isEmpty else { throw Failure(.missingInput, at: imageFolder, "there is no picture in it", remedy: Self.layout) }
    for (index, file) in files.enumerated() {
      guard Int(Path.stem(file)) == index + 1 else {
        throw Failure(.badData, at: Path.join(imageFolder, file), "this is picture \(index + 1) of the folder, expected its number as name",
                      remedy: "Pictures are numbered from 000001 without a gap.")
      }
    }
    if let length = info?.length, files.count > length {
      throw Failure(.badData, at: imageFolder, "\(files.count) pictures, but the sequence has \(length) frames",
                    remedy: "Look at seqLength in seqinfo.ini.")
    }
    return files.map { Path.join(imageFolder, $0) }
  }

  // MARK: Results

  /// The file of a tracker's result for this sequence: `NAME.txt` in the folder, or in `data` below it.
  /// - Throws: `.missingInput` if it is not there.
  public func resultPath(in folder: String) throws -> String {
    if let path = try Self.resultPath(of: name, in: folder) { return path }
    throw Failure(.missingInput, at: folder, "there is no result of the sequence \(name), expected \(name).txt",
                  remedy: "A tracker that found nothing writes an empty file.")
  }

  /// The file of a tracker's result for the sequence of this name; nil if it is not there.
  public static func resultPath(of name: String, in folder: String) throws -> String? {
    try [Path.join(folder, "\(name).txt"), Path.join(folder, "data", "\(name).txt")].first(where: File.exists)
  }

  /// The ground truth beside the result of a file.
  /// - Parameters:
  ///   - benchmark: nil: by the name, or the columns of the ground truth.
  ///   - isPreprocessed: whether distractors are excused.
  /// - Throws: as the files' readers do.
  public func comparison(
    withResultAt path: String, benchmark: TrackingBenchmark? = nil, isPreprocessed: Bool = true, rule: TrackingRule = .official
  ) throws -> TrackingComparison {
    let benchmark = try benchmark ?? self.benchmark()
    let result = try MOTFile.result(at: path, length: info?.length)
    return try TrackingComparison(
      truth: truth(benchmark), result: result, benchmark: benchmark, isPreprocessed: isPreprocessed, rule: rule)
  }
}

// MARK: Benchmarks

extension MOTSequence {
  static let layout = "Expected SEQUENCE/{img1/000001.jpg, det/det.txt, gt/gt.txt, seqinfo.ini}, alone, in a folder or below train or test."

  /// The sequences of a benchmark: of a folder of them, of its `train`, or the folder itself if it is one, in natural order.
  /// - Parameters:
  ///   - split: the folder below, if the folder has no sequences itself.
  ///   - sequenceMap: a list of names, one in a line below the head `name`; only these, in this order.
  /// - Throws: `.missingInput` if there is none, or one of the list is not there.
  public static func all(in folder: String, split: String = "train", sequenceMap: String? = nil) throws -> [MOTSequence] {
    if let sequenceMap {
      let below = Path.join(folder, split)
      return try names(inMap: sequenceMap).map { name, line in
        let places = [Path.join(folder, name), Path.join(below, name)]
        guard let place = try places.first(where: { try File.kind(at: $0) == .folder }) else {
          throw Failure(.missingInput, at: "\(sequenceMap):\(line)", "there is no sequence \(name.printable(limit: 100)) in \(folder)")
        }
        return try MOTSequence(folder: place)
      }
    }
    if try isSequence(folder) { return [try MOTSequence(folder: folder)] }
    for place in [folder, Path.join(folder, split)] where try File.kind(at: place) != nil || place == folder {
      let sequences = try Folder.folders(in: place).map { Path.join(place, $0) }.filter(isSequence)
      if !sequences.isEmpty { return try sequences.map(MOTSequence.init) }
    }
    throw Failure(.missingInput, at: folder, "there is no sequence in it", remedy: layout)
  }

  private static func isSequence(_ folder: String) throws -> Bool {
    try ["seqinfo.ini", "gt/gt.txt", "det/det.txt"].contains { try File.exists(Path.join(folder, $0)) }
  }

  private static func names(inMap path: String) throws -> [(name: String, line: Int)] {
    let lines = try File.text(at: path).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated().map { (name: $1.filter { !$0.isWhitespace }, line: $0 + 1) }
    guard lines.first?.name == "name" else {
      throw Failure(.badData, at: "\(path):1", "the first line is no 'name', expected a list of sequences below it")
    }
    let names = lines.dropFirst().filter { !$0.name.isEmpty }
    guard !names.isEmpty else { throw Failure(.badData, at: path, "there is no sequence in this list") }
    return names
  }
}
