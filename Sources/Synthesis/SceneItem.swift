import Base
import Data
import Synchronization
import Vision

/// The parts of a data set, by the names of their folders.
enum Split: String, CaseIterable, CustomStringConvertible {
  case train, val

  var description: String { rawValue }

  /// The part of each of `count` images.
  /// - Parameter heldOutShare: share of the images, 0...1, in `val`; they are spread evenly.
  /// - Throws: `.usage` for numbers out of range.
  static func ofImages(count: Int, heldOutShare: Double) throws -> [Split] {
    guard (1...999_999).contains(count) else { throw Failure(.usage, at: "count", "found \(count), expected 1...999999 images") }
    guard (0...1).contains(heldOutShare) else { throw Failure(.usage, at: "heldOutShare", "found \(heldOutShare), expected 0...1") }
    return FlowSynthesis.validationMarks(count: count, share: heldOutShare).map { $0 ? .val : .train }
  }
}

/// One image of a data set: its number, which is its id, and its files below the root.
struct SceneItem: Sendable {
  let number: Int
  let split: Split
  let image: String
  /// The panoptic map, if there is one.
  let map: String?
  var name: String { number.padded(to: 6) }
  var paths: [String] { [image] + [map].compactMap { $0 } }

  init(number: Int, split: Split, _ layout: DetectionLayout, _ form: DetectionSynthesis.ImageForm) {
    self.number = number
    self.split = split
    let name = number.padded(to: 6)
    image = "\(split)/\(name).\(form.fileExtension)"
    map = layout == .cocoPanoptic ? "annotations/panoptic_\(split)/\(name).png" : nil
  }
}

extension [SceneItem] {
  /// The images of one part, all of one size, as COCO lists them.
  func images(of split: Split, height: Int, width: Int) -> [COCOImage] {
    filter { $0.split == split }.map { COCOImage(id: $0.number, fileName: Path.name($0.image), height: height, width: width) }
  }

  /// Writes the files of each image on several threads, and makes the folder `annotations`.
  /// - Parameters:
  ///   - progress: called after each image with the number of those done, from any thread, one call at a time.
  ///   - write: makes the files of one image, from any thread, and tells what the annotations say about it.
  /// - Returns: what `write` tells, in the order of the images.
  /// - Throws: as `writeScenes`.
  func write<Truth: Sendable>(
    to root: String, threads: Int, progress: @escaping @Sendable (_ done: Int) -> Void,
    _ write: @Sendable (_ item: SceneItem, _ index: Int) throws -> Truth
  ) throws -> [Truth] {
    let truths = Mutex([Truth?](repeating: nil, count: count))
    try writeScenes(map(\.paths), of: "images", to: root, threads: threads, progress: progress) { index in
      let truth = try write(self[index], index)
      truths.withLock { $0[index] = truth }
    }
    try File.createFolder(Path.join(root, "annotations"))
    return truths.withLock { $0.compactMap { $0 } }
  }
}

extension DetectionSynthesis.ImageForm {
  /// The bytes of a file.
  /// - Parameter quality: of JPEG files, 1...100.
  func encode(_ image: Image, quality: Int) -> [UInt8] {
    switch self {
    case .jpeg: JPEG.encode(image, quality: quality)
    case .png: PNG.encode(image)
    }
  }
}
