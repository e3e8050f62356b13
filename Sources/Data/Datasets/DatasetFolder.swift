import Base

/// The folder of a data set with a fixed layout: looks into it, and says what was looked for when something is not there.
struct DatasetFolder {
  let root: String
  /// The name of the data set and its layout, for messages.
  let layout: String

  /// - Throws: `.missingInput` if there is no such folder.
  init(_ root: String, layout: String) throws {
    (self.root, self.layout) = (root, layout)
    _ = try Folder.names(in: root)
  }

  func path(_ name: String) -> String { Path.join(root, name) }

  func has(_ name: String) -> Bool { Folder.exists(path(name)) }

  /// The names in a folder below the root, in natural order.
  /// - Throws: `.missingInput` with the layout if it is not there, or empty.
  func names(in name: String) throws -> [String] {
    guard has(name) else { throw Failure(.missingInput, at: root, "there is no folder \(name) in it", remedy: layout) }
    let names = try Folder.names(in: path(name))
    guard !names.isEmpty else { throw Failure(.missingInput, at: path(name), "the folder is empty", remedy: layout) }
    return names
  }

  /// The files of one kind in a folder below the root by what stands between `prefix` and `suffix`; others are passed over.
  /// - Throws: as `names(in:)`; `.missingInput` if there are none of this kind.
  func files(in name: String, prefix: String = "", suffix: String) throws -> [(key: String, name: String)] {
    let names = try names(in: name)
    let files = names.filter { $0.hasPrefix(prefix) && $0.hasSuffix(suffix) && $0.count > prefix.count + suffix.count }
      .map { (key: String($0.dropFirst(prefix.count).dropLast(suffix.count)), name: "\(path(name))/\($0)") }
    guard !files.isEmpty else {
      throw Failure(.missingInput, at: path(name), "none of the \(names.count) files is named like \(prefix)*\(suffix)", remedy: layout)
    }
    return files
  }

  /// The frames of a scene: files that are numbered without a gap.
  /// - Throws: as `files(in:prefix:suffix:)`; `.badData` at a gap, or a name that is no number.
  func frames(in name: String, prefix: String = "", suffix: String = ".png") throws -> [(key: String, name: String)] {
    let files = try files(in: name, prefix: prefix, suffix: suffix)
    for (a, b) in zip(files, files.dropFirst()) where Int(a.key) == nil || Int(b.key) != Int(a.key).map({ $0 + 1 }) {
      throw Failure(.badData, at: path(name), "\(prefix)\(b.key)\(suffix) follows \(prefix)\(a.key)\(suffix), expected numbers without a gap",
                    remedy: layout)
    }
    return files
  }

  /// Requires that nothing is missing beside its partners.
  func require(missing: [String], for what: String) throws {
    guard missing.isEmpty else {
      throw Failure(.badData, at: root, "\(missing.count) files of \(what) are missing beside their partners: "
        + missing.prefix(5).joined(separator: ", ") + (missing.count > 5 ? ", ..." : ""), remedy: layout)
    }
  }
}
