import Tensors
import Vision

/// The frames of one scene of a benchmark's test set, which has no public truth: what a submission is made from.
///
///     for scene in try FlowTestSequence.sintel(root: root, pass: .final) {
///       for frame in scene.frames.dropLast() { ... }   // one flow file for each, named after `frame.number`
///     }
public struct FlowTestSequence: Sendable, Equatable {
  public struct Frame: Sendable, Equatable {
    /// The number in the file's name, from which submissions name their files.
    public let number: Int
    public let path: String

    /// Reads the frame as RGB.
    /// - Throws: `.missingInput`, `.badData` if the file is gone or corrupt.
    public func image() throws -> Image { try Image(contentsOf: path).rgb() }
  }

  /// Sintel's scene, such as `ambush_1`; KITTI's image number, such as `000010`.
  public let scene: String
  /// In order, at least two; neighbours are the pairs.
  public let frames: [Frame]

  /// The scenes of `test/<pass>/<scene>/frame_0001.png`, ... of MPI-Sintel, in order.
  /// - Throws: `.missingInput`, with the layout, if a folder is missing or a scene has fewer than two frames.
  public static func sintel(root: String, pass: RenderPass) throws -> [FlowTestSequence] {
    let folder = try DatasetFolder(root, layout: MPISintel.layout)
    return try pass.each.flatMap { pass in
      try MPISintel.chosen([], in: "test/\(pass.rawValue)", of: folder).map { scene in
        let place = "test/\(pass.rawValue)/\(scene)"
        let files = try folder.frames(in: place, prefix: "frame_")
        let frames = files.compactMap { file in Int(file.key).map { Frame(number: $0, path: file.name) } }
        guard frames.count >= 2 else {
          throw Failure(.missingInput, at: folder.path(place), "\(frames.count) frames found, expected at least two", remedy: MPISintel.layout)
        }
        return FlowTestSequence(scene: scene, frames: frames)
      }
    }
  }

  /// The pairs `testing/image_2/NNNNNN_10.png` and `_11.png` of KITTI-15, in order, each a sequence of two.
  /// - Throws: `.missingInput`, with the layout, if the folder is missing; `.badData` if second frames are.
  public static func kitti(root: String) throws -> [FlowTestSequence] {
    let folder = try DatasetFolder(root, layout: KITTI15.layout), place = "testing/image_2"
    let first = try folder.files(in: place, suffix: "_10.png"), second = try folder.files(in: place, suffix: "_11.png")
    let seconds = Dictionary(second.map { ($0.key, $0.name) }) { first, _ in first }
    try folder.require(missing: first.filter { seconds[$0.key] == nil }.map { "\(place)/\($0.key)_11.png" }, for: "frames")
    return first.compactMap { file in
      seconds[file.key].map { FlowTestSequence(scene: file.key, frames: [Frame(number: 10, path: file.name), Frame(number: 11, path: $0)]) }
    }
  }
}
