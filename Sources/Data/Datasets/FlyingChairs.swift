import Base

/// FlyingChairs: 22,872 synthetic pairs of 512 x 384 pixels, 22,232 for training and 640 for validation.
///
/// Layout: `data/NNNNN_img1.ppm`, `data/NNNNN_img2.ppm`, `data/NNNNN_flow.flo`, and the split list `FlyingChairs_train_val.txt` with one
/// line per pair in sorted order: 1 for training, 2 for validation. Any set in this layout, of any size, can be read.
///
/// - Source: Dosovitskiy et al., "FlowNet: learning optical flow with convolutional networks", ICCV 2015.
public struct FlyingChairs: FlowDataset {
  public enum Split: String, ConfigChoice {
    case train, validation

    var mark: String { self == .train ? "1" : "2" }
  }

  package static let splitFile = "FlyingChairs_train_val.txt"

  private let files: [FlowSampleFiles]

  public var count: Int { files.count }

  /// Lists the pairs of one split; no picture is opened.
  /// - Throws: `.missingInput` if the folder, its `data` folder or the split list is missing; `.badData` if files lack their partners, the
  ///   list does not have one line per pair, holds something else than 1 and 2, or leaves the split empty.
  public init(root: String, split: Split) throws {
    _ = try Folder.entries(in: root)
    let folder = Path.join(root, "data")
    guard try File.kind(at: folder) == .folder else {
      throw Failure(.missingInput, at: root, "there is no folder data in it",
                    remedy: "Name the folder of FlyingChairs_release that holds data/ and \(FlyingChairs.splitFile).")
    }
    let pairs = try FlyingChairs.pairs(in: folder)
    let marks = try FlyingChairs.marks(root: root, pairCount: pairs.count)
    files = zip(pairs, marks).filter { $0.1 == split.mark }.map { $0.0 }
    guard !files.isEmpty else {
      throw Failure(.badData, at: Path.join(root, FlyingChairs.splitFile),
                    "none of the \(pairs.count) lines is \(split.mark), so the split '\(split.rawValue)' is empty")
    }
  }

  public func sample(at index: Int) throws -> FlowSample { try files[index].read() }

  public func name(of index: Int) -> String { files[index].name }

  /// All pairs in sorted order.
  private static func pairs(in folder: String) throws -> [FlowSampleFiles] {
    let suffixes = ["_img1.ppm", "_img2.ppm", "_flow.flo"]
    var found: [String: Set<String>] = [:]
    for name in try Folder.files(in: folder, where: { name in suffixes.contains(where: name.hasSuffix) }) {
      guard let suffix = suffixes.first(where: name.hasSuffix) else { continue }
      found[String(name.dropLast(suffix.count)), default: []].insert(suffix)
    }
    guard !found.isEmpty else {
      throw Failure(.missingInput, at: folder, "no pairs found, expected files NNNNN_img1.ppm, NNNNN_img2.ppm, NNNNN_flow.flo")
    }
    let missing = found.keys.sorted().flatMap { id in suffixes.filter { found[id]?.contains($0) != true }.map { id + $0 } }
    guard missing.isEmpty else {
      throw Failure(.badData, at: folder, "\(missing.count) files are missing beside their partners: \(someOf(missing))",
                    remedy: "Unpack the archive again, or remove the incomplete pairs.")
    }
    return found.keys.sorted().map { id in
      let path = Path.join(folder, id)
      return FlowSampleFiles(name: id, image1: path + suffixes[0], image2: path + suffixes[1], flow: path + suffixes[2])
    }
  }

  /// The lines of the split list.
  private static func marks(root: String, pairCount: Int) throws -> [String] {
    let path = Path.join(root, splitFile)
    guard try File.exists(path) else {
      throw Failure(.missingInput, at: path, "the split list is missing, so training and validation cannot be told apart",
                    remedy: "Get \(splitFile) from the FlyingChairs page and put it there; for a set of your own "
                      + "write one line per pair in sorted order: 1 for training, 2 for validation.")
    }
    let lines = try File.text(at: path).split(whereSeparator: \.isNewline).map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
    if let bad = lines.firstIndex(where: { $0 != "1" && $0 != "2" }) {
      throw Failure(.badData, at: "\(path):\(bad + 1)", "found '\(lines[bad].prefix(20))', expected 1 (training) or 2 (validation)")
    }
    guard lines.count == pairCount else {
      throw Failure(.badData, at: path, "\(lines.count) lines found, expected \(pairCount): one per pair in data/",
                    remedy: "Complete the data folder, or use the list that belongs to it.")
    }
    return lines
  }
}
