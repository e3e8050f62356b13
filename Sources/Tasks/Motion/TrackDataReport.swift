import Base
import Data
import Training
import Vision

/// What sequences hold: every file is read, and all that are broken are told.
struct TrackDataReport {
  private(set) var lines: [String] = []
  private(set) var isUsable = true

  /// - Parameters:
  ///   - sets: by their titles; those without a root are passed over.
  ///   - needsDetections: whether the files of detections are read, too.
  /// - Throws: `.usage` if no set has a root, and `.missingInput` if a folder has no sequences.
  init(_ sets: [(title: String, data: TrackData)], needsDetections: Bool) throws {
    for (title, data) in sets {
      guard let sequences = try data.sequences() else { continue }
      var counts = (frames: 0, tracks: 0, boxes: 0, detections: 0)
      for sequence in sequences {
        do {
          let truth = try sequence.truth().map { $0.filter(\.isEvaluatedPedestrian) }
          counts.frames += truth.count
          counts.tracks += Set(truth.joined().map(\.id)).count
          counts.boxes += truth.joined().count
          if needsDetections { counts.detections += try sequence.detections().joined().count }
        } catch let failure as Failure {
          isUsable = false
          lines.append("error: \(failure)")
        }
      }
      let found = needsDetections ? ", \(counts.detections) detections" : ""
      let sizes = "\(sequences.count) sequences, \(counts.frames) frames, \(counts.tracks) tracks, \(counts.boxes) boxes"
      lines.append("\(title): \(sizes)\(found)")
    }
    guard !lines.isEmpty else {
      throw Failure(.usage, at: "data.root", "'' leaves nothing to check", remedy: "Name a folder of sequences in MOT layout.")
    }
  }

  var report: DataReport { DataReport(text: lines.map { $0 + "\n" }.joined(), isUsable: isUsable) }
}

extension Motion: DataCheckTask {
  public static func dataReport(_ config: MotionConfig) throws -> DataReport {
    try TrackDataReport([("training set", config.data), ("validation set", config.validation)], needsDetections: false).report
  }
}

extension Matching: DataCheckTask {
  public static func dataReport(_ config: MatchingConfig) throws -> DataReport {
    try TrackDataReport([("training set", config.data), ("validation set", config.validation)], needsDetections: true).report
  }
}
