import Base
import Data
import Foundation
import Vision

/// What is written for generated sequences of persons.
public enum TrackingLayout: String, ConfigChoice {
  /// Sequences as in MOT17: images, ground truth, detections.
  case mot17
  /// Pictures of single persons by identity and camera, as in Market-1501.
  case market1501
}

/// A sequence of a data set and its files below the root.
private struct SequenceFiles: Sendable {
  let name: String
  let folder: String
  let images: [String]
  var truth: String { Path.join(folder, "gt", "gt.txt") }
  var detections: String { Path.join(folder, "det", "det.txt") }
  var info: String { Path.join(folder, "seqinfo.ini") }
  var paths: [String] { images + [truth, detections, info] }

  init(number: Int, split: Split, frames: Int, _ form: DetectionSynthesis.ImageForm) {
    name = "synth-\(number.padded(to: 4))"
    let folder = Path.join(split.rawValue, name)
    self.folder = folder
    images = (1...frames).map { Path.join(folder, "img1", "\($0.padded(to: 6)).\(form.fileExtension)") }
  }
}

extension TrackingSynthesis {
  /// Writes sequences in the layout of MOT17: `train/synth-0001/{img1/000001.jpg, gt/gt.txt, det/det.txt, seqinfo.ini}`, and `val/…`.
  ///
  /// Every file appears complete or not at all, the texts after the images, and all are the same whatever the number of threads, so an
  /// interrupted call is simply repeated.
  /// - Parameters:
  ///   - count: sequences, 1...9,999.
  ///   - seed: of the data set.
  ///   - heldOutShare: share of the sequences, 0...1, in `val`; they are spread evenly.
  ///   - root: the folder to fill; made if missing.
  ///   - threads: at work at the same time, each at a sequence; 0 takes one per processor.
  ///   - progress: called after each sequence with the number of those done, from any thread, one call at a time.
  /// - Throws: `.usage` for settings out of range; `.cannotCreate` if a folder cannot be made or holds other images; the failures of
  ///   `AtomicFile.write`.
  public func writeSequences(
    count: Int, seed: UInt64, heldOutShare: Double = 0.1, to root: String, threads: Int = 0,
    progress: @escaping @Sendable (_ done: Int) -> Void = { _ in }
  ) throws {
    try validate()
    guard (1...9999).contains(count) else { throw Failure(.usage, at: "count", "found \(count), expected 1...9999 sequences") }
    let splits = try Split.ofImages(count: count, heldOutShare: heldOutShare)
    let items = splits.enumerated().map { SequenceFiles(number: $0 + 1, split: $1, frames: frames, images) }
    try writeScenes(items.map(\.paths), of: "sequences", to: root, threads: threads, progress: progress) { index in
      try write(sequence(index: index, seed: seed), detector: detector(index: index, seed: seed), items[index], to: root)
    }
  }

  /// The detector that looks at a sequence.
  func detector(index: Int, seed: UInt64) -> DetectorModel {
    DetectorModel(self, Random(seed: seed, stream: .synthesis, epoch: -7, sample: index))
  }

  private func write(_ scene: TrackingScene, detector: DetectorModel, _ files: SequenceFiles, to root: String) throws {
    var detector = detector
    var truth: [[TruthBox]] = []
    var found: [[DetectedBox]] = []
    for number in 0..<frames {
      let frame = scene.frame(number)
      try AtomicFile.write(images.encode(frame.image, quality: quality), to: Path.join(root, files.images[number]))
      truth.append(frame.truth)
      found.append(detector.detections(frame.truth))
    }
    try AtomicFile.write(MOTFile.text(ofTruth: truth.map { $0.map(\.countedFromOne) }), to: Path.join(root, files.truth))
    try AtomicFile.write(MOTFile.text(ofDetections: found.map { $0.map(\.countedFromOne) }), to: Path.join(root, files.detections))
    var info = SequenceInfo(name: files.name, length: frames)
    info.frameRate = frameRate
    (info.width, info.height) = (width, height)
    info.imageExtension = ".\(images.fileExtension)"
    try AtomicFile.write(info.text, to: Path.join(root, files.info))
  }
}

extension TruthBox {
  /// The same box in the coordinates of files, which count pixels from 1.
  fileprivate var countedFromOne: TruthBox {
    var moved = self
    moved.box = box.countedFromOne
    return moved
  }
}

extension DetectedBox {
  /// The same box in the coordinates of files, which count pixels from 1.
  fileprivate var countedFromOne: DetectedBox {
    var moved = self
    moved.box = box.countedFromOne
    return moved
  }
}
