import Base

/// Pictures that stand in two sets.
enum SharedPictures {
  /// The paths of a set that are in another one, too: one file, or files of one name with the same bytes. Files that cannot be read count
  /// by their names.
  static func paths(_ paths: [String], with others: [String]) -> [String] {
    let twins = Dictionary(others.map { (Path.name($0), $0) }) { first, _ in first }
    return paths.filter { path in
      guard let twin = twins[Path.name(path)] else { return false }
      if twin != path, let mine = try? File.bytes(at: path), let theirs = try? File.bytes(at: twin) { return mine == theirs }
      return true
    }
  }
}
