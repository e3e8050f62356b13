import Base

/// A file name taken apart for matching: words and numbers, in lower case.
///
/// `kitti_occ_000010_10.png` is `[kitti, occ, 000010, 10]`, `RubberWhale1.png` is `[rubberwhale, 1]`.
struct FrameName {
  /// Words that name a frame's role and say nothing about which frame it is.
  static let frameWords: Set<String> = ["img", "image", "im", "frame"]
  /// Words that name a flow file's role.
  static let flowWords: Set<String> = ["flow", "gt", "occ", "noc", "frame"]

  let file: String
  let parts: [String]

  init(_ file: String) {
    self.file = file
    var parts: [String] = []
    var wasDigit = false
    var joins = false
    for character in Path.stem(file).lowercased() {
      guard character.isLetter || character.isNumber else {
        joins = false
        continue
      }
      let isDigit = character.isASCII && character.isNumber
      if joins, isDigit == wasDigit, let last = parts.indices.last {
        parts[last].append(character)
      } else {
        parts.append(String(character))
      }
      wasDigit = isDigit
      joins = true
    }
    self.parts = parts
  }

  /// As a frame: the number at the end, and what precedes it without the words of the role.
  var frame: (key: [String], number: Int)? {
    let rest = parts.filter { !FrameName.frameWords.contains($0) }
    guard let last = rest.last, let number = Int(last) else { return nil }
    return (Array(rest.dropLast()), number)
  }

  /// As a flow file: its parts with and without the words of the role.
  var flowKeys: [[String]] {
    let reduced = parts.filter { !FrameName.flowWords.contains($0) }
    return reduced == parts ? [parts] : [parts, reduced]
  }
}
