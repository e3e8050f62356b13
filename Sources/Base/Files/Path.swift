import Foundation
import SystemPackage

/// Parts of file paths, as text.
package enum Path {
  /// The last component: `a/b.png` → `b.png`.
  package static func name(_ path: String) -> String { FilePath(path).lastComponent?.string ?? path }

  /// The last component without its extension: `a/b.png` → `b`.
  package static func stem(_ path: String) -> String { FilePath(path).stem ?? path }

  /// The extension in lower case without its dot: `a/b.PNG` → `png`; empty if there is none.
  package static func fileExtension(_ path: String) -> String { FilePath(path).extension?.lowercased() ?? "" }

  /// The path without its last component: `a/b.png` → `a`; empty for `b.png`.
  package static func folder(_ path: String) -> String { FilePath(path).removingLastComponent().string }

  package static func join(_ folder: String, _ names: String...) -> String {
    names.reduce(folder) { $0.hasSuffix("/") ? $0 + $1 : "\($0)/\($1)" }
  }

  /// The path without `.` and with `..` taken back, as far as that goes by the text alone: `a/./b/../c` → `a/c`.
  package static func normalized(_ path: String) -> String { FilePath(path).lexicallyNormalized().string }

  /// The path without links and dots; of what is not there yet, as far as its folders are.
  package static func real(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else {
      let folder = folder(path)
      return folder == path ? path : join(real(folder.isEmpty ? "." : folder), name(path))
    }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Bytes as pairs of hexadecimal digits, for messages about file headers.
  package static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
  }
}
