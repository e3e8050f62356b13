import Base
import Tensors

/// A pattern for parameter names: `*` stands for any text, dots included; everything else for itself.
///
/// `backbone.*` chooses the backbone, `*.bias` all biases, `*norm*` everything in a normalisation layer.
public struct NamePattern: Sendable, Equatable {
  public let text: String

  public init(_ text: String) { self.text = text }

  /// Whether the whole of `name` fits.
  public func matches(_ name: String) -> Bool {
    let pattern = Array(text.utf8)
    let name = Array(name.utf8)
    let star = UInt8(ascii: "*")
    var p = 0
    var n = 0
    var retry: (p: Int, n: Int)?  // after the last star, and where the text it swallows ends
    while n < name.count {
      if p < pattern.count, pattern[p] == star {
        p += 1
        retry = (p, n)
      } else if p < pattern.count, pattern[p] == name[n] {
        p += 1
        n += 1
      } else if let last = retry {
        retry = (last.p, last.n + 1)
        (p, n) = (last.p, last.n + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == star }
  }

  /// The entries whose names fit.
  /// - Throws: `.usage` if there is none: a pattern without effect is a typing error.
  func select<Value>(
    _ entries: [(name: String, parameter: Value)], of kind: String = "parameter"
  ) throws -> [(name: String, parameter: Value)] {
    let chosen = entries.filter { matches($0.name) }
    guard !chosen.isEmpty else {
      let examples = entries.prefix(3).map(\.name).joined(separator: ", ")
      let names = examples + (entries.count > 3 ? ", ..." : "")
      throw Failure(.usage, at: "", "no \(kind) is named like '\(text)'",
        remedy: entries.isEmpty ? "There is none." : "Names look like \(names); '*' stands for any text.")
    }
    return chosen
  }
}
