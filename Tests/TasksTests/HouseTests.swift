import Foundation
import Testing

/// Rules of the house that a compiler does not check: which room knows which words and imports which room, and how long files, lines,
/// functions and lists of parameters are.
@Suite struct HouseTests {
  struct SourceFile: Sendable {
    /// Below `Sources`, such as `Tasks/Commands/Training.swift`.
    let path: String
    let lines: [String]

    var room: String { String(path.prefix { $0 != "/" }) }
    /// The lines without comments.
    var code: [String] { lines.map { line in line.range(of: "//").map { String(line[..<$0.lowerBound]) } ?? line } }
  }

  static let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static let files: [SourceFile] = {
    let root = checkout.appending(path: "Sources").path(percentEncoded: false)
    let names = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(".swift") }.sorted().compactMap { name in
      guard let text = try? String(contentsOfFile: (root as NSString).appendingPathComponent(name), encoding: .utf8) else { return nil }
      return SourceFile(path: name, lines: text.components(separatedBy: "\n"))
    }
  }()

  private func expectNone(
    _ pattern: some RegexComponent, _ what: String, in lines: (SourceFile) -> [String], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for file in Self.files {
      for (number, line) in lines(file).enumerated() where line.contains(pattern) {
        Issue.record("Sources/\(file.path):\(number + 1): \(what): \(line)", sourceLocation: sourceLocation)
      }
    }
  }

  @Test func theSourcesAreFound() { #expect(Self.files.count > 200) }

  /// Flags, help and tables of a task come from the task.
  @Test func theCommandLineAndTheLoopKnowNoTask() {
    expectNone(#/(?i)(?:^|[^r])flow|\bepe\b|end-point|\braft\b|raft-|raft/|occlusion|warm.?start/#, "a word of a task") { file in
      ["apus", "Experiments", "Training"].contains(file.room) || file.path.hasPrefix("Tasks/Commands/") ? file.lines : []
    }
  }

  /// Citations of the paper stand in comments; the kit's rooms do without them.
  @Test func raftStaysInItsRooms() {
    expectNone(#/(?i)\braft/#, "RAFT outside its rooms") { file in
      if ["Models", "Benchmarks"].contains(file.room) || file.path.hasPrefix("Tasks/OpticalFlow/") { return [] }
      return ["Networks", "Tasks"].contains(file.room) ? file.lines : file.code
    }
  }

  @Test func failuresGoThroughOneDoor() {
    expectNone(#/\b(fatalError|preconditionFailure|precondition|assert|assertionFailure)\(/#, "use require or stop") { file in
      file.room == "Base" ? [] : file.code
    }
    expectNone(#/\btry!|\bas!/#, "a trap without a message") { $0.code }
  }

  @Test func roomsImportWhatTheReadmeSays() throws {
    let readme = try String(contentsOf: Self.checkout.appending(path: "README.md"), encoding: .utf8)
    var allowed: [String: Set<String>] = [:]
    for line in readme.components(separatedBy: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 3, let room = cells[0].firstMatch(of: #/^`(\w+)`$/#).map({ String($0.1) }) else { continue }
      var names = Set(cells[2].matches(of: #/`(\w+)`/#).map { String($0.1) })
      if cells[2].hasPrefix("all of the above") { names.formUnion(allowed.keys.filter { $0 != "CKernels" }) }
      allowed[room] = names
    }
    #expect(allowed.count > 8, "the table of the README was not found")
    let rooms = Set(Self.files.map(\.room))
    for file in Self.files {
      for line in file.code {
        guard let name = line.firstMatch(of: #/^(?:public |package |@testable |@_exported )*import (\w+)/#).map({ String($0.1) }),
              rooms.contains(name) || name == "CKernels" else { continue }
        #expect(allowed[file.room]?.contains(name) == true, "Sources/\(file.path) imports \(name)")
      }
    }
  }

  // MARK: Sizes

  @Test func filesLinesFunctionsAndListsOfParametersAreShort() {
    var functionCount = 0
    for file in Self.files {
      #expect(file.lines.count <= 401, "Sources/\(file.path) has \(file.lines.count) lines")
      for (number, line) in file.lines.enumerated() where line.count > 140 {
        Issue.record("Sources/\(file.path):\(number + 1) has \(line.count) columns, at most 140 are allowed")
      }
      for function in Self.crowdedFunctions(of: file) { Issue.record("\(function) has more than 8 parameters") }
      for function in Self.functions(of: file) {
        functionCount += 1
        #expect(function.lines <= 60, "Sources/\(file.path):\(function.line) is a function of \(function.lines) lines")
      }
    }
    #expect(functionCount > 1000, "the functions were not found")
  }

  /// Functions and initialisers of several lines: the number of their first line and how many lines they have, down to the brace that
  /// closes them at the indentation of the first.
  static func functions(of file: SourceFile) -> [(line: Int, lines: Int)] {
    let start = #/^( *)(?:[a-z@][\w()]* )*(?:func |init[?(<]).*[{(]$/#
    return file.lines.indices.compactMap { first in
      guard let indentation = file.lines[first].firstMatch(of: start)?.1 else { return nil }
      let end = file.lines[first...].dropFirst().firstIndex { $0.hasPrefix(indentation + "}") }
      return end.map { (first + 1, $0 - first + 1) }
    }
  }

  /// Functions with more than eight parameters, by file and name.
  static func crowdedFunctions(of file: SourceFile) -> [String] {
    let text = file.code.joined(separator: "\n")
    return text.matches(of: #/(?:func\s+(\S+?)|\b(init)\??)(?:<[^(]*>)?\(/#).compactMap { match in
      var depth = 1
      var colons = 0
      for character in text[match.range.upperBound...] {
        switch character {
        case "(", "[", "{": depth += 1
        case ")", "]", "}": depth -= 1
        case ":" where depth == 1: colons += 1
        default: break
        }
        if depth == 0 { break }
      }
      return colons > 8 ? "\(file.path):\(match.1 ?? match.2 ?? "")" : nil
    }
  }
}
