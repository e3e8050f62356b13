import Base

/// Pairs of frames of one scene in their order, with the name that the flow of each shall have.
public struct PairSequence: Sendable, Equatable {
  public struct Pair: Sendable, Equatable {
    /// Paths of the frames.
    public let image1: String
    public let image2: String
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
  /// - Throws: `.missingInput` for what is not there, `.usage` for a single picture or a mixture, `.badData` if names repeat,
  ///   `.inputOutput` if it cannot be found out what is there.
  public static func named(_ paths: [String]) throws -> [PairSequence] {
    guard let first = paths.first else { throw Failure(.usage, at: "--source", "nothing is named, expected a folder or two pictures") }
    let kinds = try paths.map(File.kind(at:))
    if paths.count == 1, kinds[0] == nil || kinds[0] == .folder {
      return [try PairSequence(neighbours: FrameSequence(folder: first), in: first)]
    }
    for (path, kind) in zip(paths, kinds) {
      switch kind {
      case nil: throw Failure(.missingInput, at: path, "there is no such file")
      case .folder?: throw Failure(.usage, at: path, "this is a folder, expected a picture beside the other sources")
      case .file?, .other?: continue
      }
    }
    guard paths.count >= 2 else {
      throw Failure(.usage, at: first, "one picture has no flow", remedy: "Name two pictures, or a folder of frames: --source A.png B.png")
    }
    Orientation.warn(about: paths, in: "--source")
    return [try PairSequence(neighbours: FrameSequence(files: paths), in: someOf(paths))]
  }
}
