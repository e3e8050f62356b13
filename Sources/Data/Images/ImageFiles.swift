import Base

/// The images that a user names for prediction: files, and all pictures of a folder in natural order.
public enum ImageFiles {
  /// One image, and the name of its results.
  public struct Entry: Sendable, Equatable {
    public let path: String
    /// The stem of the file; with its extension where two files have one stem.
    public let name: String
  }

  /// - Throws: `.missingInput` if there is no such file or folder, or no picture in it; `.usage` if two images would have one name.
  public static func named(_ sources: [String]) throws -> [Entry] {
    var paths: [String] = []
    for source in sources {
      guard try File.kind(at: source) == .folder else {
        paths.append(source)
        continue
      }
      let names = try Folder.files(in: source)
      let pictures = names.filter(Folder.isPictureName)
      guard !pictures.isEmpty else {
        let others = Folder.otherContents(of: source, names)
        throw Failure(.missingInput, at: source, "no picture among \(names.count) files, expected \(ImageFormat.list)\(others.text)",
                      remedy: others.remedy)
      }
      paths += pictures.map { Path.join(source, $0) }
    }
    Orientation.warn(about: paths, in: sources.joined(separator: ", "))
    let counts = Dictionary(paths.map { (Path.stem($0), 1) }, uniquingKeysWith: +)
    let entries = paths.map { path in
      let stem = Path.stem(path)
      return Entry(path: path, name: counts[stem] == 1 ? stem : "\(stem)_\(Path.fileExtension(path))")
    }
    var seen: [String: String] = [:]
    for entry in entries {
      if let other = seen.updateValue(entry.path, forKey: entry.name) {
        throw Failure(.usage, at: "--source", "'\(other)' and '\(entry.path)' would have results of one name",
                      remedy: "Rename one of them.")
      }
    }
    return entries
  }
}
