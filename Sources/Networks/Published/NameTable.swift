/// A translation between our names of parameters and somebody else's, by how names begin.
///
/// Each rule holds two beginnings, ours and theirs; `#` stands for a digit that both share:
/// `("fnet.layer#.", "feature_encoder.layer#.")` turns `fnet.layer2.weight` into `feature_encoder.layer2.weight`. The first rule that fits
/// counts; a name that none fits stays as it is.
public struct NameTable: Sendable {
  private let rules: [(ours: String, theirs: String)]

  public init(_ rules: [(ours: String, theirs: String)]) { self.rules = rules }

  public static func + (first: NameTable, second: NameTable) -> NameTable { NameTable(first.rules + second.rules) }

  /// Our name for one of theirs.
  public func ours(_ name: String) -> String {
    rules.lazy.compactMap { Self.translated(name, from: $0.theirs, to: $0.ours) }.first ?? name
  }

  /// Their name for one of ours.
  public func theirs(_ name: String) -> String {
    rules.lazy.compactMap { Self.translated(name, from: $0.ours, to: $0.theirs) }.first ?? name
  }

  private static func translated(_ name: String, from: String, to: String) -> String? {
    guard name.utf8.count >= from.utf8.count else { return nil }
    var digits: [Character] = []
    for (found, expected) in zip(name, from) {
      if expected == "#", ("0"..."9").contains(found) { digits.append(found) } else if expected != found { return nil }
    }
    var result = ""
    var next = digits.makeIterator()
    for character in to { result.append(character == "#" ? next.next() ?? "#" : character) }
    return result + name.dropFirst(from.count)
  }
}
