import Base
import Vision

/// MPI-Sintel: 23 training scenes of an animated film, 1,041 pairs of 1024 x 436 pixels in each of two passes.
///
/// Layout: `training/{clean,final}/<scene>/frame_0001.png`, ..., `training/flow/<scene>/frame_0001.flo` (from that frame to the next) and,
/// where they are, `training/occlusions/<scene>/frame_0001.png` and `training/invalid/<scene>/frame_0001.png`: masks, white where a pixel
/// is hidden in the next frame, or its flow is not to be trusted. Neither mask restricts training or the usual metrics.
///
/// - Source: Butler et al., "A naturalistic open source movie for optical flow evaluation", ECCV 2012.
public struct MPISintel: FlowDataset {
  static let layout = """
    MPI-Sintel (complete) holds training/clean/alley_1/frame_0001.png, ..., training/final likewise,
      training/flow/alley_1/frame_0001.flo, ..., if wanted training/occlusions and training/invalid, and test/clean and test/final.
    """

  private let files: [FlowSampleFiles]
  /// The place of each sample's masks below `occlusions` and `invalid`.
  private let masks: [String]
  private let folder: DatasetFolder
  private let readsOcclusion: Bool

  public var count: Int { files.count }

  /// Lists the pairs; no picture is opened.
  /// - Parameters:
  ///   - scenes: the scenes to take; none: all.
  ///   - readsOcclusion: whether samples have the mask of occluded pixels, where the set has it.
  /// - Throws: `.missingInput`, with the layout, if a folder or a named scene is missing; `.badData` if frames or flow files lack their
  ///   partners.
  public init(root: String, pass: RenderPass, scenes: [String] = [], readsOcclusion: Bool = false) throws {
    let folder = try DatasetFolder(root, layout: MPISintel.layout)
    var files: [FlowSampleFiles] = []
    var masks: [String] = []
    for pass in pass.each {
      let parent = "training/\(pass.rawValue)"
      for scene in try MPISintel.chosen(scenes, in: parent, of: folder) {
        let frames = try folder.frames(in: "\(parent)/\(scene)", prefix: "frame_")
        let flows = Set(try folder.files(in: "training/flow/\(scene)", prefix: "frame_", suffix: ".flo").map(\.key))
        let first = frames.dropLast()
        let missing = first.filter { !flows.contains($0.key) }.map { "training/flow/\(scene)/frame_\($0.key).flo" }
        try folder.require(missing: missing, for: "flow")
        let lone = flows.subtracting(first.map(\.key)).sorted().map { "\(parent)/\(scene)/frame_\($0).png or the frame after it" }
        try folder.require(missing: lone, for: "frames")
        for (from, to) in zip(first, frames.dropFirst()) {
          files.append(FlowSampleFiles(name: "\(pass.rawValue)_\(scene)_\(from.key)", image1: from.name, image2: to.name,
                                       flow: folder.path("training/flow/\(scene)/frame_\(from.key).flo")))
          masks.append("\(scene)/frame_\(from.key).png")
        }
      }
    }
    guard !files.isEmpty else { throw Failure(.missingInput, at: root, "no scene of it has two frames", remedy: MPISintel.layout) }
    (self.files, self.masks, self.folder, self.readsOcclusion) = (files, masks, folder, readsOcclusion)
  }

  public func sample(at index: Int) throws -> FlowSample {
    var sample = try files[index].read()
    if readsOcclusion { sample.occlusion = try mask("occlusions", at: index, height: sample.flow.height, width: sample.flow.width) }
    return sample
  }

  public func name(of index: Int) -> String { files[index].name }

  /// A mask of the pixels without trustworthy flow; nil if the set has no folder `invalid`.
  /// - Throws: `.missingInput`, `.badData` if the mask or the flow is gone, corrupt, or of another size.
  public func invalid(at index: Int) throws -> [Bool]? {
    let flow = try FlowField(contentsOf: files[index].flow)
    return try mask("invalid", at: index, height: flow.height, width: flow.width)
  }

  private func mask(_ kind: String, at index: Int, height: Int, width: Int) throws -> [Bool]? {
    guard try folder.has("training/\(kind)") else { return nil }
    let path = folder.path("training/\(kind)/\(masks[index])")
    let image = try Image(contentsOf: path)
    guard image.height == height, image.width == width else {
      throw Failure(.badData, at: path, "the size is \(image.width) x \(image.height), expected \(width) x \(height) as of the flow")
    }
    return stride(from: 0, to: image.pixels.count, by: image.channels).map { image.pixels[$0] >= 128 }
  }

  /// The scenes asked for, in the order of the folder.
  private static func chosen(_ scenes: [String], in parent: String, of folder: DatasetFolder) throws -> [String] {
    let found = try folder.folders(in: parent)
    guard !scenes.isEmpty else { return found }
    if let missing = scenes.first(where: { !found.contains($0) }) {
      throw Failure(.missingInput, at: folder.path(parent), "there is no scene '\(missing)'",
                    remedy: "Found: \(someOf(found, atMost: 30)).")
    }
    return found.filter(scenes.contains)
  }
}

extension MPISintel {
  /// The scenes of the test set, and results as its benchmark wants them: `<pass>/<scene>/frame0001`, ...
  /// - Parameter root: the data set, or the folder that holds the passes.
  /// - Throws: `.missingInput` if there are no passes or scenes, or a scene has one frame; `.badData` if a frame of a scene is missing.
  public static func testSequences(in root: String) throws -> [PairSequence] {
    let folder = try DatasetFolder(root, layout: layout)
    let part = try folder.has("test") ? "test/" : ""
    let passes = try RenderPass.both.each.map(\.rawValue).filter { try folder.has(part + $0) }
    guard !passes.isEmpty else { throw Failure(.missingInput, at: root, "there is no folder clean or final in it", remedy: layout) }
    let scenes = try passes.flatMap { pass in try chosen([], in: part + pass, of: folder).map { "\(pass)/\($0)" } }
    guard !scenes.isEmpty else {
      throw Failure(.missingInput, at: folder.path(part), "no scenes found in \(passes.joined(separator: " and "))", remedy: layout)
    }
    return try scenes.map { scene in
      let place = folder.path(part + scene)
      let frames = try folder.frames(in: part + scene, prefix: "frame_")
      guard frames.count >= 2 else { throw Failure(.missingInput, at: place, "\(frames.count) frames found, expected at least two") }
      guard Int(frames[0].key) == 1 else {
        throw Failure(.badData, at: place, "frame_\(frames[0].key).png comes first, expected frame_0001.png", remedy: layout)
      }
      return PairSequence(zip(frames, frames.dropFirst()).map { from, to in
        PairSequence.Pair(image1: from.name, image2: to.name, result: "\(scene)/frame\(from.key)")
      })
    }
  }
}
