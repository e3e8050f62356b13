import Base

/// FlyingThings3D, the full release: 2,239 training scenes of ten frames of 960 x 540 pixels, with flow both ways.
///
/// Layout, of which the left camera is read:
/// `frames_{cleanpass,finalpass}/{TRAIN,TEST}/{A,B,C}/NNNN/left/*.png` and
/// `optical_flow/{TRAIN,TEST}/{A,B,C}/NNNN/{into_future,into_past}/left/OpticalFlowInto{Future,Past}_*_L.pfm`.
/// A frame and the next one with the flow into the future make a sample, and the same two the other way round with the flow of the later
/// one into the past: 18 samples a scene and pass, 40,302 for training.
///
/// Samples are in the order pass, direction, scene, frame.
///
/// - Source: Mayer et al., "A large dataset to train convolutional networks for disparity, optical flow, and scene flow estimation",
///   CVPR 2016.
public struct FlyingThings: FlowDataset {
  public enum Split: String, Sendable, Codable, CaseIterable {
    case train, test

    var folder: String { rawValue.uppercased() }
  }

  private enum Direction: String, CaseIterable {
    case intoFuture = "into_future", intoPast = "into_past"

    var flowPrefix: String { self == .intoFuture ? "OpticalFlowIntoFuture_" : "OpticalFlowIntoPast_" }
  }

  static let layout = """
    FlyingThings3D (the full release, not the 'subset' one) holds frames_cleanpass and frames_finalpass with
      TRAIN/A/0000/left/0006.png, ..., and optical_flow with TRAIN/A/0000/into_future/left/OpticalFlowIntoFuture_0006_L.pfm, \
    ... and the same for into_past.
    """

  private let files: [FlowSampleFiles]

  public var count: Int { files.count }

  /// Lists the samples; no picture is opened.
  /// - Throws: `.missingInput`, with the layout, if a folder is missing or empty; `.badData` if frames lack their flow.
  public init(root: String, split: Split, pass: RenderPass) throws {
    let folder = try DatasetFolder(root, layout: FlyingThings.layout)
    var files: [FlowSampleFiles] = []
    for pass in pass.each {
      let frames = "frames_\(pass.rawValue)pass/\(split.folder)"
      var scenes: [String] = []
      for letter in try folder.folders(in: frames) { scenes += try folder.folders(in: "\(frames)/\(letter)").map { "\(letter)/\($0)" } }
      for direction in Direction.allCases {
        for scene in scenes { files += try FlyingThings.samples(of: scene, split, pass, direction, in: folder) }
      }
    }
    guard !files.isEmpty else {
      throw Failure(.missingInput, at: root, "no scene of \(split.folder) has two frames", remedy: FlyingThings.layout)
    }
    self.files = files
  }

  public func sample(at index: Int) throws -> FlowSample { try files[index].read() }

  public func name(of index: Int) -> String { files[index].name }

  private static func samples(
    of scene: String, _ split: Split, _ pass: RenderPass, _ direction: Direction, in folder: DatasetFolder
  ) throws -> [FlowSampleFiles] {
    let frames = try folder.frames(in: "frames_\(pass.rawValue)pass/\(split.folder)/\(scene)/left")
    let place = "optical_flow/\(split.folder)/\(scene)/\(direction.rawValue)/left"
    let flows = try folder.files(in: place, prefix: direction.flowPrefix, suffix: "_L.pfm")
    let flowOf = Dictionary(flows.map { ($0.key, $0.name) }) { first, _ in first }
    var missing: [String] = []
    var samples: [FlowSampleFiles] = []
    for (first, second) in zip(frames, frames.dropFirst()) {
      let (from, to) = direction == .intoFuture ? (first, second) : (second, first)
      guard let flow = flowOf[from.key] else {
        missing.append("\(place)/\(direction.flowPrefix)\(from.key)_L.pfm")
        continue
      }
      let name = "\(pass.rawValue)_\(scene.replacing("/", with: "_"))_\(direction.rawValue)_\(from.key)"
      samples.append(FlowSampleFiles(name: name, image1: from.name, image2: to.name, flow: flow))
    }
    try folder.require(missing: missing, for: "flow")
    return samples
  }
}
