import Base

/// HD1K: 36 sequences from a driving car, 2560 x 1080 pixels, about 1,047 pairs with sparse flow.
///
/// Layout: `hd1k_input/image_2/SSSSSS_FFFF.png` (sequence, frame) and `hd1k_flow_gt/flow_occ/` with the same names, encoded as in KITTI:
/// the flow from that frame to the next one of its sequence. The flow of a sequence's last frame has no second frame and is left out.
///
/// - Source: Kondermann et al., "The HCI benchmark suite: stereo and flow ground truth with uncertainties for urban autonomous driving",
///   CVPR workshops 2016.
public struct HD1K: FlowDataset {
  static let layout = "HD1K holds hd1k_input/image_2/000000_0000.png, ... and hd1k_flow_gt/flow_occ/000000_0000.png, ..."

  private let files: [FlowSampleFiles]

  public var count: Int { files.count }

  /// Lists the pairs; no picture is opened.
  /// - Throws: `.missingInput`, with the layout, if a folder is missing, empty, or without a pair; `.badData` if a flow map has no frame.
  public init(root: String) throws {
    let folder = try DatasetFolder(root, layout: HD1K.layout)
    let flows = try folder.files(in: "hd1k_flow_gt/flow_occ", suffix: ".png")
    let frames = Set(try folder.files(in: "hd1k_input/image_2", suffix: ".png").map(\.key))
    let missing = flows.filter { !frames.contains($0.key) }.map { "hd1k_input/image_2/\($0.key).png" }
    try folder.require(missing: missing, for: "frames")
    files = flows.compactMap { flow in
      guard let next = HD1K.successor(of: flow.key), frames.contains(next) else { return nil }
      return FlowSampleFiles(name: flow.key, image1: folder.path("hd1k_input/image_2/\(flow.key).png"),
                             image2: folder.path("hd1k_input/image_2/\(next).png"), flow: flow.name)
    }
    guard !files.isEmpty else {
      throw Failure(.missingInput, at: root, "none of the \(flows.count) flow maps has a frame and its successor", remedy: HD1K.layout)
    }
  }

  public func sample(at index: Int) throws -> FlowSample { try files[index].read() }

  public func name(of index: Int) -> String { files[index].name }

  /// `000003_0011` after `000003_0010`.
  private static func successor(of key: String) -> String? {
    guard let line = key.lastIndex(of: "_") else { return nil }
    let digits = key[key.index(after: line)...]
    guard let number = Int(digits), number >= 0, number < Int.max else { return nil }
    return key[...line] + (number + 1).padded(to: digits.count)
  }
}
