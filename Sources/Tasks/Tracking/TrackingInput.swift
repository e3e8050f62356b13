import Base
import Data
import Vision
import WeightFiles

/// A sequence to be tracked: frames as pictures, or only their number where detections are known.
struct TrackingInput: Sendable {
  /// By which its results are named.
  let name: String
  /// The pictures by frame; empty: there are none.
  let images: [String]
  let sequence: MOTSequence?
  let frameRate: Double?

  /// A sequence of a benchmark; one without pictures is as good as any, as long as nothing looks at them.
  init(_ sequence: MOTSequence) throws {
    name = sequence.name
    self.sequence = sequence
    images = try File.kind(at: sequence.imageFolder) == .folder ? try sequence.images() : []
    frameRate = sequence.info?.frameRate
  }

  /// A folder of pictures in natural order.
  init(pictures folder: String) throws {
    name = Path.name(Path.real(folder))
    images = try ImageFiles.named([folder]).map(\.path)
    sequence = nil
    frameRate = nil
  }

  /// What a user names: a sequence, a folder of sequences, or a folder of pictures.
  /// - Throws: `.missingInput` if it is none of these; `.badData` for a broken one.
  static func all(in source: String) throws -> [TrackingInput] {
    do {
      return try MOTSequence.all(in: source).map(TrackingInput.init)
    } catch let failure as Failure where failure.kind == .missingInput {
      if try File.kind(at: source) == .folder {
        if try File.kind(at: Path.join(source, "img1")) == .folder { return [try TrackingInput(MOTSequence(folder: source))] }
        if try !Folder.files(in: source, where: Folder.isPictureName).isEmpty { return [try TrackingInput(pictures: source)] }
      }
      throw failure.told(remedy: "Expected a sequence (SEQUENCE/{img1, det/det.txt, seqinfo.ini}), a folder of them, or one of pictures.")
    }
  }

  /// The picture of a frame: RGB.
  func image(_ frame: Int) throws -> Image { try Image(contentsOf: images[frame]).rgb() }

  /// The boxes that are known before, and what is known of their appearance; nil if a network is to find them.
  func listed(_ detector: TrackingDetector) throws -> ListedFeatures? {
    func read() throws -> ListedFeatures? {
      switch detector.kind {
      case .detr: return nil
      case .file:
        let path = try detectionPath(detector, "txt")
        return ListedFeatures(detections: try MOTFile.detections(at: path, length: sequence?.info?.length), vectors: [])
      case .features:
        return try ListedFeatures(array: try detectionPath(detector, "npy"), length: sequence?.info?.length)
      }
    }
    return try detector.path.isEmpty ? read() : withPath(in: "detector.path", read)
  }

  /// The file of the detections, or its place where there is none.
  func detectionPath(_ detector: TrackingDetector, _ suffix: String) throws -> String {
    guard detector.path.isEmpty else { return Path.join(detector.path, "\(name).\(suffix)") }
    guard let sequence else {
      throw Failure(.missingInput, at: name, "a folder of pictures has no detection file",
                    remedy: "Name the folder of the files with detector.path, or a network with detector.kind: detr.")
    }
    return sequence.detectionPath
  }

  /// Drawn frames would replace those that they are drawn on.
  /// - Parameter folder: of the drawn frames.
  /// - Throws: `.usage` if it is the folder of the pictures.
  func requireApart(from folder: String) throws {
    guard let first = images.first, Path.real(folder) == Path.real(File.folder(of: first)) else { return }
    throw Failure(.usage, at: "--out", "the drawn frames would land among the pictures of \(name), in \(folder), and replace them",
                  remedy: "Choose another --out, or leave out --pictures.")
  }

  /// That there are fewer pictures than frames, in a sentence; nil if there are not.
  var shortage: String? {
    guard let length = sequence?.info?.length, !images.isEmpty, images.count < length else { return nil }
    return "the sequence \(name) has pictures of \(images.count) frames, and \(length) by its seqinfo.ini: what needs pictures ends there"
  }

  /// The files that results depend on.
  func inputs(_ detector: TrackingDetector, looksAtPictures: Bool) throws -> [String] {
    let files = detector.kind == .detr ? [] : [try detectionPath(detector, detector.kind == .features ? "npy" : "txt")]
    return files + (looksAtPictures ? images : [])
  }

  /// Frames that are tracked: all of the sequence, or where pictures are looked at as many as there are.
  /// - Throws: `.missingInput` if there is no picture, and one is needed.
  func length(_ listed: ListedFeatures?, looksAtPictures: Bool) throws -> Int {
    guard looksAtPictures else { return sequence?.info?.length ?? listed?.detections.count ?? images.count }
    guard !images.isEmpty else {
      throw Failure(.missingInput, at: sequence?.imageFolder ?? name,
                    "the sequence \(name) has no pictures, and a part of the tracker looks at them",
                    remedy: "Put them there, or leave out the terms of the affinity that need a network.")
    }
    return images.count
  }
}

/// Detections of a file, with their appearance if it has that.
struct ListedFeatures: Sendable {
  let detections: [[DetectedBox]]
  /// Of the detections of each frame; empty: there are none.
  let vectors: [[[Double]]]

  init(detections: [[DetectedBox]], vectors: [[[Double]]]) { (self.detections, self.vectors) = (detections, vectors) }

  /// The rows of an array: frame, id, left, top, width, height, score and three more columns, and a vector behind them.
  /// - Parameter length: frames of the sequence; nil: up to the last one of the file.
  /// - Throws: `.missingInput`; `.badData` with the row for frames and boxes that are none.
  init(array path: String, length: Int?) throws {
    let array = try NumPyFile.read(at: path)
    guard array.shape.count == 2, array.shape[1] > 10 else {
      throw Failure(.badData, at: path, "an array of shape \(array.shape), expected [detections, 10 columns and the vector]")
    }
    let columns = array.shape[1]
    let numbers = array.doubles
    let rows = (0..<array.shape[0]).map { Array(numbers[$0 * columns..<($0 + 1) * columns]) }
    let last = rows.map { $0[0] }.max() ?? 0
    guard let end = length ?? Int(exactly: last), end <= 10_000_000 else {
      throw Failure(.badData, at: path, "the last frame is \(last), expected a whole number, at most 10000000")
    }
    var detections = [[DetectedBox]](repeating: [], count: end)
    var vectors = [[[Double]]](repeating: [], count: end)
    for (number, row) in rows.enumerated() {
      guard let frame = Int(exactly: row[0]), (1...end).contains(frame) else {
        throw Failure(.badData, at: "\(path), row \(number)", "the frame is \(row[0]), expected a whole number, 1 to \(end)")
      }
      let found = DetectedBox(BoundingBox(x: row[2], y: row[3], width: row[4], height: row[5]), score: row[6])
      guard found.isUsable else {
        throw Failure(.badData, at: "\(path), row \(number)", "the box \(row[2..<6]) has no size, or something is not finite")
      }
      detections[frame - 1].append(found)
      vectors[frame - 1].append(Array(row[10...]))
    }
    (self.detections, self.vectors) = (detections, vectors)
  }
}
