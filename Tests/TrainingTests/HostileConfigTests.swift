import Base
import Foundation
import Testing
import TestSupport
import Training

/// Configs as people write them, and as nobody should.
@Suite struct HostileConfigTests {
  private let loader = ConfigLoader(defaults: SampleConfig())

  private func load(_ bytes: [UInt8]) throws -> SampleConfig {
    try withTemporaryFolder { folder in
      try AtomicFile.write(bytes, to: "\(folder)/c.yaml")
      return try loader.load(file: "\(folder)/c.yaml").value
    }
  }

  private func load(_ text: String) throws -> SampleConfig { try load(Array(text.utf8)) }

  @Test func marksAndLineEndsOfOtherSystems() throws {
    let plain = "name: x\nplan:\n  steps: 7\n"
    #expect(try load([0xEF, 0xBB, 0xBF] + Array(plain.utf8)) == load(plain))
    #expect(try load([0xEF, 0xBB, 0xBF] + Array(plain.replacing("\n", with: "\r\n").utf8)) == load(plain))
    #expect(try load(String(plain.dropLast())) == load(plain))
  }

  @Test func numbersAsAReaderSeesThem() throws {
    for (text, value) in [("1e-4", Float(1e-4)), ("2e-5", 2e-5), ("1E-4", 1e-4), ("1.", 1), (".5", 0.5), ("1_000", 1000)] {
      #expect(try load("gradient_clip: \(text)\n").gradientClip == value, "\(text)")
    }
    for (text, value) in [("010", 10), ("1_0", 10), ("+3", 3)] { #expect(try load("plan: {steps: \(text)}\n").plan.steps == value, "\(text)") }
    for text in ["0x10", "0b1", "4.0", "1e5", "1:30", "４", "1,5", "9223372036854775808", "'3'", "4#four", "~", ""] {
      expectFailure(.usage, "c.yaml:2:", "'plan.steps'") { try load("plan:\n  steps: \(text)\n") }
    }
    for (text, value) in [("no", false), ("off", false), ("yes", true), ("True", true)] { #expect(try load("is_mixed: \(text)\n").isMixed == value) }
    expectFailure(.usage, "'gradient_clip': expected a number, found text '1e-4'") { try load("gradient_clip: \"1e-4\"\n") }
  }

  @Test func anchorsAreObeyedAndMergesRefused() throws {
    #expect(try load("plan: {steps: &n 7}\ndepths: [*n]\n").depths == [7])
    expectFailure(.usage, "c.yaml:2:9: merging maps with '<<' is not supported", "base: FILE") { try load("plan: &p {steps: 7}\nother: {<<: *p}\n") }
  }

  @Test func moreThanOneDocument() {
    expectFailure(.usage, "c.yaml:2:1: a second document begins here") { try load("name: a\n---\nname: b\n") }
  }

  /// Characters up to U+00FF as bytes, and what is said of them.
  @Test(arguments: [
    ("# f\u{FC}r\nname: x\n", "c.yaml:1:4: the byte fc is not UTF-8"),
    ("name: a\nplan: {steps: 1\u{1B}}\n", "c.yaml:2:16: this is not valid YAML: control characters are not allowed"),
    ("name: a\n\u{0}", "c.yaml:2:1"), ("\u{FF}\u{FE}a\u{0}", "text in UTF-16"), ("\u{89}PNG\u{FF}", "a PNG picture"),
  ])
  func bytesThatAreNoText(text: String, words: String) {
    expectFailure(.usage, words) { try load(text.unicodeScalars.map { UInt8($0.value) }) }
  }

  @Test func escapesNeverReachTheTerminal() {
    let failure = #expect(throws: Failure.self) { try load("\"\\e]0;x\\a\\n\": 1\nplan: {steps: \"\\e[2J\"}\n") }
    let text = failure?.description ?? ""
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 } && text.contains("\\u{1B}]0;x\\u{7}\\n"), "\(text)")
    #expect(text.split(separator: "\n").count == 3, "\(text)")
  }

  @Test func longTextsAndManyProblemsAreShortened() {
    let failure = #expect(throws: Failure.self) { try load((0..<3000).map { "key\($0): " + String(repeating: "x", count: 300) + "\n" }.joined()) }
    #expect((failure?.description.utf8.count ?? 0) < 12_000 && failure?.description.contains("3000 problems") == true)
    let long = #expect(throws: Failure.self) { try load("plan: {steps: '" + String(repeating: "y", count: 100_000) + "'}\n") }
    #expect((long?.description.utf8.count ?? 0) < 1500)
  }

  @Test(.timeLimit(.minutes(1))) func aBaseWithoutEnd() throws {
    expectFailure(.usage, "/dev/zero: this is a device, expected a regular file") { try load("base: /dev/zero\n") }
    try withTemporaryFolder { folder in
      try AtomicFile.write("base: .\n", to: "\(folder)/c.yaml")
      expectFailure(.missingInput, "this is a folder") { try loader.load(file: "\(folder)/c.yaml") }
    }
  }

  @Test(.timeLimit(.minutes(1)), arguments: ["[", "{a: ", "- ", "? ", "!!x ", "&a "]) func deepNesting(opening: String) {
    #expect(throws: Failure.self) { try load(String(repeating: opening, count: 100_000)) }
    #expect(throws: Failure.self) { try load("depths: " + String(repeating: opening, count: 900) + "\n") }
  }

  @Test func damagedCopiesEndWithAConfigOrAFailure() throws {
    let text = "name: raft\ncrop_size: {height: 8, width: 16}\ndepths: [1, 2, 3]\noptimizer:\n  epsilon: 1.0e-8\n  betas: [0.9, 0.99]\n"
      + "stages:\n- weight: 0.5\n- dataset: things\n  schedule: one_cycle\nplan: &p {steps: 10, seed: 3}\n"
    var refused = 0
    for index in 0..<600 {
      do {
        _ = try loader.load(yaml: File.text(of: Mutation.copy(index, of: Array(text.utf8), head: 250), at: "c.yaml", kind: .usage), named: "c.yaml")
      } catch let failure as Failure {
        refused += 1
        #expect(failure.kind == .usage || failure.kind == .missingInput, "\(failure)")
        #expect(failure.description.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 }, "\(failure)")
      }
    }
    #expect(refused > 200)
  }
}
