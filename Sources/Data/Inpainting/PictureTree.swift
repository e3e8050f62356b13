import Base
import Vision

/// The pictures below a folder, however deep, in the order of their paths.
public struct PictureTree: Sendable, Equatable {
  public let root: String
  /// Paths of the pictures below the root, sorted byte by byte.
  public let paths: [String]
  /// A name for each, unique and fit to be part of a file name: `bedroom/a/01.jpg` → `bedroom-a-01`.
  public let names: [String]

  /// Folders within folders, at most; a link that leads to a folder above it would have no end.
  static let mostLevels = 32

  /// - Parameter suffix: pictures whose stems end with it are left out, such as masks in the same folder; empty: none.
  /// - Throws: `.missingInput` if the folder, or every picture, is not there; `.badData` for names that are not UTF-8, or become equal.
  public init(_ root: String, without suffix: String = "") throws {
    self.root = root
    var others: [String] = []
    let found = try Self.files(below: root, level: 0)
    paths = found.filter { path in
      if Folder.isPictureName(path) { return suffix.isEmpty || !Path.stem(path).hasSuffix(suffix) }
      others.append(path)
      return false
    }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    guard !paths.isEmpty else {
      let contents = Folder.otherContents(of: root, others)
      throw Failure(.missingInput, at: root, "no picture among \(found.count) files, expected \(ImageFormat.list)\(contents.text)",
                    remedy: contents.remedy)
    }
    let plain = paths.map(Self.name)
    let counts = Dictionary(plain.map { ($0, 1) }, uniquingKeysWith: +)
    names = zip(plain, paths).map { counts[$0] == 1 ? $0 : "\($0)-\(Path.fileExtension($1))" }
    let groups = Dictionary(zip(names, paths).map { ($0, [$1]) }, uniquingKeysWith: +)
    if let (name, paths) = groups.filter({ $0.value.count > 1 }).min(by: { $0.key < $1.key }) {
      throw Failure(.badData, at: root, "\(paths.count) pictures would both be called \(name): \(someOf(paths))",
                    remedy: "Rename one of them.")
    }
  }

  public var count: Int { paths.count }

  /// The path of a picture.
  public func path(of index: Int) -> String { Path.join(root, paths[index]) }

  /// A path without its extension, as one word.
  static func name(_ path: String) -> String {
    (Path.folder(path).split(separator: "/").map(String.init) + [Path.stem(path)]).joined(separator: "-")
  }

  private static func files(below folder: String, level: Int) throws -> [String] {
    guard level < mostLevels else {
      throw Failure(.badData, at: folder, "\(mostLevels) folders within each other, expected fewer",
                    remedy: "Look for a link that leads to a folder above it.")
    }
    let entries = try Folder.files(in: folder)
    return try entries + Folder.folders(in: folder).flatMap { name in
      try files(below: Path.join(folder, name), level: level + 1).map { Path.join(name, $0) }
    }
  }
}
