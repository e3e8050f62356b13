import Base

/// Pictures and their label files, as the layout of a data set pairs them.
public struct SegmentationFiles: Sendable, Equatable {
  /// A picture with its labels.
  public struct Pair: Sendable, Equatable {
    /// Unique within the set and fit to be part of a file name.
    public let name: String
    public let image: String
    public let label: String

    public init(name: String, image: String, label: String) {
      self.name = name
      self.image = image
      self.label = label
    }
  }

  public let pairs: [Pair]

  init(_ pairs: [Pair], at place: String) throws {
    guard !pairs.isEmpty else { throw Failure(.missingInput, at: place, "there is no picture with labels") }
    let names = Dictionary(pairs.map { ($0.name, [$0.image]) }, uniquingKeysWith: +)
    if let (name, images) = names.filter({ $0.value.count > 1 }).min(by: { $0.key < $1.key }) {
      throw Failure(.badData, at: place, "\(images.count) pictures have the name \(name): \(someOf(images))",
                    remedy: "Give each a name of its own.")
    }
    self.pairs = pairs
  }

  // MARK: Cityscapes

  static let cityscapesLayout = """
    Cityscapes is laid out as leftImg8bit/SPLIT/CITY/NAME_leftImg8bit.png and gtFine/SPLIT/CITY/NAME_gtFine_labelIds.png;
    unpack leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip into one folder.
    """

  /// The pictures of a part of Cityscapes: `leftImg8bit/<split>/<city>/<name>_leftImg8bit.png` with
  /// `gtFine/<split>/<city>/<name>_gtFine_labelIds.png`.
  /// - Throws: `.missingInput` with the layout if a folder is not there or empty, `.badData` if label files are missing.
  public static func cityscapes(_ root: String, split: String) throws -> SegmentationFiles {
    let folder = try DatasetFolder(root, layout: cityscapesLayout)
    var pairs: [Pair] = []
    for city in try folder.folders(in: "leftImg8bit/\(split)") {
      let images = "leftImg8bit/\(split)/\(city)"
      for (name, image) in try folder.files(in: images, suffix: "_leftImg8bit.png") {
        pairs.append(Pair(name: name, image: image, label: folder.path("gtFine/\(split)/\(city)/\(name)_gtFine_labelIds.png")))
      }
    }
    let missing = try pairs.filter { try File.kind(at: $0.label) != .file }.map { Path.name($0.label) }
    try folder.require(missing: missing, for: "gtFine/\(split)")
    return try SegmentationFiles(pairs, at: folder.path("leftImg8bit/\(split)"))
  }

  // MARK: Folders

  /// The pictures of one folder with the label files of another, or of the same with a suffix, by their stems.
  /// - Parameters:
  ///   - labelSuffix: what a label file's stem has behind the picture's, such as `_mask`.
  ///   - list: a file of stems, one a line, that are taken; nil: all pictures.
  /// - Throws: `.missingInput` if a folder, or all pictures, are not there; `.badData` if label files are missing, or the list names
  ///   pictures that are not there.
  public static func folders(images: String, labels: String, labelSuffix: String = "", list: String? = nil) throws -> SegmentationFiles {
    let names = try Folder.files(in: images)
    // In one folder with the pictures, label files are told by their ending.
    let isShared = try !labelSuffix.isEmpty && File.isSame(images, labels)
    let pictures = names.filter { Folder.isPictureName($0) && !(isShared && Path.stem($0).hasSuffix(labelSuffix)) }
    guard !pictures.isEmpty else {
      let others = Folder.otherContents(of: images, names)
      throw Failure(.missingInput, at: images, "no picture among \(names.count) files, expected \(ImageFormat.list)\(others.text)",
                    remedy: others.remedy)
    }
    let isLabel = { (name: String) in ["png", "pgm", "jpg", "jpeg"].contains(Path.fileExtension(name)) }
    let found = try Folder.files(in: labels, where: isLabel)
    // A PNG stands before others of the same stem: compressed pictures beside it are for looking at.
    let ordered = found.filter { Path.fileExtension($0) != "png" } + found.filter { Path.fileExtension($0) == "png" }
    let labelNames = Dictionary(ordered.map { (Path.stem($0), $0) }) { $1 }
    var chosen = pictures
    if let list { chosen = try listed(list, among: pictures, in: images) }
    let missing = chosen.filter { labelNames[Path.stem($0) + labelSuffix] == nil }
    guard missing.isEmpty else {
      throw Failure(
        .badData, at: labels, "\(missing.count) of \(chosen.count) pictures have no label file here: \(someOf(missing))",
        remedy: "A label file has the picture's name before its extension\(labelSuffix.isEmpty ? "" : " and '\(labelSuffix)'"); "
          + "for other endings see data.label_suffix. Files here: \(found.isEmpty ? "none" : someOf(found)).")
    }
    let pairs = chosen.map { image in
      let label = labelNames[Path.stem(image) + labelSuffix] ?? ""
      return Pair(name: Path.stem(image), image: Path.join(images, image), label: Path.join(labels, label))
    }
    return try SegmentationFiles(pairs, at: images)
  }

  private static func listed(_ list: String, among pictures: [String], in folder: String) throws -> [String] {
    let byStem = Dictionary(pictures.map { (Path.stem($0), $0) }) { first, _ in first }
    let byName = Dictionary(pictures.map { ($0, $0) }) { first, _ in first }
    var chosen: [String] = []
    var missing: [String] = []
    for (_, line) in try lines(of: list) {
      if let name = byName[line] ?? byStem[line] { chosen.append(name) } else { missing.append(line) }
    }
    guard missing.isEmpty else {
      throw Failure(.badData, at: list, "\(missing.count) listed pictures are not in \(folder): \(someOf(missing))")
    }
    return chosen
  }

  // MARK: Lists of pairs

  /// Pictures and labels that a file names, one pair a line, with white space between them, relative to a folder; lines that begin with `#`
  /// do not count.
  /// - Throws: `.missingInput` if there is no such file; `.badData` at the line that is no pair, or for files that are not there.
  public static func list(_ list: String, root: String) throws -> SegmentationFiles {
    func path(_ name: Substring) -> String { name.hasPrefix("/") || root.isEmpty ? String(name) : Path.join(root, String(name)) }
    let pairs = try lines(of: list).map { number, line in
      let columns = line.split { $0 == " " || $0 == "\t" }
      guard columns.count == 2 else {
        throw Failure(.badData, at: "\(list):\(number)", "expected a picture and its label file, found \(columns.count) names: \(line)")
      }
      let stem = Path.stem(String(columns[0]))
      let name = stem.hasSuffix("_leftImg8bit") ? String(stem.dropLast("_leftImg8bit".count)) : stem
      return Pair(name: name, image: path(columns[0]), label: path(columns[1]))
    }
    let missing = try pairs.flatMap { [$0.image, $0.label] }.filter { try File.kind(at: $0) != .file }
    guard missing.isEmpty else {
      throw Failure(.badData, at: list, "\(missing.count) files of the list are not there: \(someOf(missing))",
                    remedy: "Names are relative to data.root ('\(root)').")
    }
    return try SegmentationFiles(pairs, at: list)
  }

  /// Lines that say something, with their numbers from 1.
  private static func lines(of path: String) throws -> [(number: Int, text: String)] {
    let bytes = try File.bytes(at: path)
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Failure(.badData, at: path, "this is no text in UTF-8") }
    return text.split(omittingEmptySubsequences: false) { $0.isNewline }.enumerated().compactMap { index, line in
      let words = line.split { $0.isWhitespace }
      guard let first = words.first, !first.hasPrefix("#") else { return nil }
      return (index + 1, line.contains("\t") ? words.joined(separator: "\t") : words.joined(separator: " "))
    }
  }
}
