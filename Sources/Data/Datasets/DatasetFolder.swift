import Base

/// The folder of a data set with a fixed layout: looks into it, and says what was looked for when something is not there.
struct DatasetFolder {
  let root: String
  /// The name of the data set and its layout, for messages.
  let layout: String

  /// - Throws: `.missingInput` if there is no such folder.
  init(_ root: String, layout: String) throws {
    (self.root, self.layout) = (root, layout)
    _ = try Folder.entries(in: root)
  }

  func path(_ name: String) -> String { Path.join(root, name) }

  /// Whether there is such a folder below the root.
  /// - Throws: `.inputOutput` if that cannot be found out.
  func has(_ name: String) throws -> Bool { try File.kind(at: path(name)) == .folder }

  /// The names of the folders in a folder below the root, in natural order.
  /// - Throws: `.missingInput` with the layout if it is not there, or empty.
  func folders(in name: String) throws -> [String] {
    try requireFolder(name)
    guard try !Folder.entries(in: path(name)).isEmpty else {
      throw Failure(.missingInput, at: path(name), "the folder is empty", remedy: layout)
    }
    return try Folder.folders(in: path(name))
  }

  private func requireFolder(_ name: String) throws {
    guard try has(name) else { throw Failure(.missingInput, at: root, "there is no folder \(name) in it", remedy: layout) }
  }

  /// The files of one kind in a folder below the root by what stands between `prefix` and `suffix`; others are passed over.
  /// - Throws: `.missingInput` with the layout if the folder is not there, or holds none of this kind.
  func files(in name: String, prefix: String = "", suffix: String) throws -> [(key: String, name: String)] {
    try requireFolder(name)
    func isWanted(_ file: String) -> Bool { file.hasPrefix(prefix) && file.hasSuffix(suffix) && file.count > prefix.count + suffix.count }
    let files = try Folder.files(in: path(name), where: isWanted)
      .map { (key: String($0.dropFirst(prefix.count).dropLast(suffix.count)), name: "\(path(name))/\($0)") }
    guard !files.isEmpty else {
      let count = try Folder.entries(in: path(name)).count
      let found = count == 0 ? "the folder is empty" : "none of the \(count) files is named like \(prefix)*\(suffix)"
      throw Failure(.missingInput, at: path(name), found, remedy: layout)
    }
    return files
  }

  /// The frames of a scene: files that are numbered without a gap.
  /// - Throws: as `files(in:prefix:suffix:)`; `.badData` at a gap, or a name that is no number.
  func frames(in name: String, prefix: String = "", suffix: String = ".png") throws -> [(key: String, name: String)] {
    let files = try files(in: name, prefix: prefix, suffix: suffix)
    for (a, b) in zip(files, files.dropFirst()) where !isSuccessor(b.key, of: a.key) {
      let found = "\(prefix)\(b.key)\(suffix) follows \(prefix)\(a.key)\(suffix)"
      throw Failure(.badData, at: path(name), "\(found), expected numbers without a gap", remedy: layout)
    }
    return files
  }

  private func isSuccessor(_ next: String, of key: String) -> Bool {
    guard let number = Int(key), let following = Int(next), number < Int.max else { return false }
    return following == number + 1
  }

  /// Requires that nothing is missing beside its partners.
  func require(missing: [String], for what: String) throws {
    guard missing.isEmpty else {
      throw Failure(.badData, at: root, "\(missing.count) files of \(what) are missing beside their partners: \(someOf(missing))",
                    remedy: layout)
    }
  }
}
