import Base
import Vision

/// KITTI-15: 200 training pairs from a driving car, about 1242 x 375 pixels, with sparse flow from a laser scanner.
///
/// Layout: `training/image_2/NNNNNN_10.png` and `_11.png`, `training/flow_occ/NNNNNN_10.png` and, if wanted, `training/flow_noc`,
/// without the
/// pixels that are hidden or outside in the second frame. The set of 2012 names its grey or colour frames otherwise and is not read.
///
/// - Source: Menze and Geiger, "Object scene flow for autonomous vehicles", CVPR 2015.
public struct KITTI15: FlowDataset {
  static let layout = """
    KITTI 2015 (scene flow) holds training/image_2/000000_10.png, 000000_11.png, ..., training/flow_occ/000000_10.png, ...,
      if wanted training/flow_noc, and testing/image_2.
    """

  private let files: [FlowSampleFiles]
  private let folder: DatasetFolder
  private let readsOcclusion: Bool

  public var count: Int { files.count }

  /// Lists the pairs; no picture is opened.
  /// - Parameters:
  ///   - nonOccludedOnly: takes the flow of `flow_noc` instead of that of `flow_occ`.
  ///   - readsOcclusion: whether samples tell which pixels have flow in `flow_occ` but not in `flow_noc`: hidden or outside in the second
  ///     frame. Without either folder they do not.
  /// - Throws: `.missingInput`, with the layout, if a folder is missing or empty; `.badData` if files lack their partners.
  public init(root: String, nonOccludedOnly: Bool = false, readsOcclusion: Bool = false) throws {
    self.readsOcclusion = readsOcclusion
    folder = try DatasetFolder(root, layout: KITTI15.layout)
    let truth = nonOccludedOnly ? "flow_noc" : "flow_occ"
    let keys = try folder.files(in: "training/\(truth)", suffix: "_10.png").map(\.key)
    let frames = Set(try folder.files(in: "training/image_2", suffix: ".png").map(\.key))
    let needed = keys.flatMap { ["\($0)_10", "\($0)_11"] }
    try folder.require(missing: needed.filter { !frames.contains($0) }.map { "training/image_2/\($0).png" }, for: "frames")
    let place = folder
    files = keys.map { key in
      FlowSampleFiles(name: "\(key)_10", image1: place.path("training/image_2/\(key)_10.png"),
                      image2: place.path("training/image_2/\(key)_11.png"), flow: place.path("training/\(truth)/\(key)_10.png"))
    }
  }

  public func sample(at index: Int) throws -> FlowSample {
    var sample = try files[index].read()
    guard try readsOcclusion && folder.has("training/flow_noc") && folder.has("training/flow_occ") else { return sample }
    func isKnown(_ truth: String) throws -> [Bool] {
      let path = folder.path("training/\(truth)/\(files[index].name).png")
      let known = try FlowField(contentsOf: path)
      guard known.height == sample.flow.height, known.width == sample.flow.width else {
        let expected = "\(sample.flow.width) x \(sample.flow.height)"
        throw Failure(.badData, at: path, "the size is \(known.width) x \(known.height), expected \(expected)")
      }
      return known.isValid
    }
    sample.occlusion = zip(try isKnown("flow_occ"), try isKnown("flow_noc")).map { $0 && !$1 }
    return sample
  }

  public func name(of index: Int) -> String { files[index].name }
}

extension KITTI15 {
  /// The pairs of the test set, each a sequence of its own, and results as its benchmark wants them: `flow/000000_10`, ...
  /// - Parameter root: the data set, or the folder that holds `image_2`.
  /// - Throws: `.missingInput` if there are no pairs; `.badData` if a second frame is missing.
  public static func testSequences(in root: String) throws -> [PairSequence] {
    let folder = try DatasetFolder(root, layout: layout)
    let frames = (try folder.has("testing") ? "testing/" : "") + "image_2"
    let first = try folder.files(in: frames, suffix: "_10.png")
    let known = Set(try folder.files(in: frames, suffix: ".png").map { "\($0.key).png" })
    let missing = first.map { "\($0.key)_11.png" }.filter { !known.contains($0) }
    try folder.require(missing: missing.map { "\(frames)/\($0)" }, for: "second frames")
    return first.map { key, name in
      PairSequence([
        PairSequence.Pair(image1: name, image2: folder.path("\(frames)/\(key)_11.png"), result: "flow/\(key)_10")
      ])
    }
  }
}
