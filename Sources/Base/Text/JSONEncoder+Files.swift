import Foundation

extension JSONEncoder {
  /// For files that people read, too: indented, with keys in alphabetical order, so that the same value gives the same bytes.
  package static var ofFiles: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}
