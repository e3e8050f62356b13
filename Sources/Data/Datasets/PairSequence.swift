import Foundation
import Tensors

/// Pairs of frames of one scene in their order, with the name that the flow of each shall have.
public struct PairSequence: Sendable, Equatable {
  public struct Pair: Sendable, Equatable {
    /// Paths of the frames.
    public let image1, image2: String
    /// The path of the result below the folder of all results, without extension.
    public let result: String
  }

  public let pairs: [Pair]

  /// The neighbours of a sequence of frames; each result is named after its first frame.
  /// - Throws: `.badData` if two frames have one name.
  public init(neighbours frames: FrameSequence, in place: String) throws {
    var names: Set<String> = []
    pairs = try (0..<frames.count - 1).map { index in
      let name = frames.name(of: index)
      guard names.insert(name).inserted else {
        throw Failure(.badData, at: place, "several frames are named '\(name)', so would be their results",
                      remedy: "Keep one format of each frame in this folder.")
      }
      return Pair(image1: frames.files[index], image2: frames.files[index + 1], result: name)
    }
  }

  init(_ pairs: [Pair]) { self.pairs = pairs }

  /// The pairs of what a user names: one folder of frames, or two or more picture files in their order.
  /// - Throws: `.missingInput` for what is not there, `.usage` for a single picture or a mixture, `.badData` if names repeat.
  public static func named(_ paths: [String]) throws -> [PairSequence] {
    let place = paths.joined(separator: " ")
    guard let first = paths.first else { throw Failure(.usage, at: "--source", "nothing is named, expected a folder or two pictures") }
    if paths.count == 1, !Folder.isFile(first) { return [try PairSequence(neighbours: FrameSequence(folder: first), in: first)] }
    for path in paths where !Folder.isFile(path) {
      let found = Folder.exists(path) ? "this is a folder, expected a picture beside the other sources" : "there is no such file"
      throw Failure(Folder.exists(path) ? .usage : .missingInput, at: path, found)
    }
    guard paths.count >= 2 else {
      throw Failure(.usage, at: first, "one picture has no flow", remedy: "Name two pictures, or a folder of frames: --source A.png B.png")
    }
    return [try PairSequence(neighbours: FrameSequence(files: paths), in: place)]
  }

  /// The scenes of MPI-Sintel, `{clean,final}/<scene>/frame_%04d.png`, and results as its benchmark wants them:
  /// `<pass>/<scene>/frame%04d`, numbered from 1.
  /// - Parameter root: the data set (its `test` part is taken), or the folder that holds the passes.
  /// - Throws: `.missingInput` if there are no passes or scenes; `.badData` if a frame of a scene is missing.
  public static func sintel(_ root: String) throws -> [PairSequence] {
    _ = try Folder.names(in: root)
    let base = Folder.exists(Path.join(root, "test")) ? Path.join(root, "test") : root
    let passes = ["clean", "final"].filter { Folder.exists(Path.join(base, $0)) }
    guard !passes.isEmpty else {
      throw Failure(.missingInput, at: root, "there is no folder clean or final in it",
                    remedy: "Sintel's test set is test/{clean,final}/<scene>/frame_0001.png ...; name the folder above test, or test itself.")
    }
    let scenes = try passes.flatMap { pass in
      try Folder.names(in: Path.join(base, pass)).filter { !Folder.isFile(Path.join(base, pass, $0)) }.map { (pass, $0) }
    }
    guard !scenes.isEmpty else { throw Failure(.missingInput, at: base, "no scenes found in \(passes.joined(separator: " and "))") }
    return try scenes.map { pass, scene in
      let folder = Path.join(base, pass, scene)
      let frames = try Folder.names(in: folder).filter { $0.hasSuffix(".png") }
      for (index, frame) in frames.enumerated() where frame != String(format: "frame_%04d.png", index + 1) {
        throw Failure(.badData, at: Path.join(folder, frame), "expected \(String(format: "frame_%04d.png", index + 1)) in its place",
                      remedy: "The frames of a scene are numbered from 1 without a gap; unpack the archive again.")
      }
      guard frames.count >= 2 else { throw Failure(.missingInput, at: folder, "\(frames.count) frames found, expected at least two") }
      return PairSequence((0..<frames.count - 1).map { index in
        Pair(image1: Path.join(folder, frames[index]), image2: Path.join(folder, frames[index + 1]),
             result: String(format: "\(pass)/\(scene)/frame%04d", index + 1))
      })
    }
  }

  /// The pairs of KITTI's flow benchmark, `image_2/%06d_10.png` and `_11.png`, each a sequence of its own, and results as it wants
  /// them: `flow/%06d_10`.
  /// - Parameter root: the data set (its `testing` part is taken), or the folder that holds `image_2`.
  /// - Throws: `.missingInput` if there are no pairs; `.badData` if a second frame is missing.
  public static func kitti(_ root: String) throws -> [PairSequence] {
    _ = try Folder.names(in: root)
    let base = Folder.exists(Path.join(root, "testing")) ? Path.join(root, "testing") : root, folder = Path.join(base, "image_2")
    let names = Folder.exists(folder) ? try Folder.names(in: folder) : [], known = Set(names)
    let pairs = try names.filter { $0.hasSuffix("_10.png") }.map { first in
      let stem = first.dropLast("_10.png".count)
      guard known.contains("\(stem)_11.png") else {
        throw Failure(.badData, at: Path.join(folder, first), "its second frame \(stem)_11.png is missing")
      }
      return PairSequence([
        Pair(image1: Path.join(folder, first), image2: Path.join(folder, "\(stem)_11.png"), result: "flow/\(stem)_10")
      ])
    }
    guard !pairs.isEmpty else {
      throw Failure(.missingInput, at: root, "no pairs found, expected testing/image_2/000000_10.png, 000000_11.png, ...",
                    remedy: "Name the folder above testing, or the one that holds image_2.")
    }
    return pairs
  }
}
