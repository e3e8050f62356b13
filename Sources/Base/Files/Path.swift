/// Parts of file paths, as text.
package enum Path {
  /// The last component: `a/b.png` → `b.png`.
  package static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

  /// The last component without its extension: `a/b.png` → `b`.
  package static func stem(_ path: String) -> String {
    let name = name(path)
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }

  /// The extension in lower case without its dot: `a/b.PNG` → `png`; empty if there is none.
  package static func fileExtension(_ path: String) -> String {
    let name = name(path)
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    return name[name.index(after: dot)...].lowercased()
  }

  package static func join(_ folder: String, _ names: String...) -> String {
    names.reduce(folder) { $0.hasSuffix("/") ? $0 + $1 : "\($0)/\($1)" }
  }

  /// Bytes as pairs of hexadecimal digits, for messages about file headers.
  package static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
  }
}
