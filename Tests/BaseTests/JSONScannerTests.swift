import Base
import Testing
import TestSupport

@Suite("JSON, value by value") struct JSONScannerTests {
  private func read<Result>(_ text: String, _ body: (inout JSONScanner) throws -> Result) throws -> Result {
    try JSONScanner.read(Array(text.utf8), path: "a.json", body)
  }

  @Test("numbers are rounded as a reader of texts rounds them", arguments: [
    "0", "-0.0", "1", "-17", "3.14", "473.07", "0.1", "123456789012345678", "1234567890123456789012", "1e-7", "2.5E+3", "-1.7976931348623157e308",
    "0.30000000000000004", "9007199254740993", "0.000000000000000000000000123", "4.9e-324",
  ])
  func numbers(_ text: String) throws {
    let value = try read(text) { try $0.number() }
    #expect(value == Double(text) && value.sign == Double(text)?.sign)
  }

  @Test("words of Python are numbers") func words() throws {
    let numbers = try read("[NaN, Infinity, -Infinity]") { try $0.numbers() }
    #expect(numbers[0].isNaN && numbers[1] == .infinity && numbers[2] == -.infinity)
  }

  @Test("objects, lists, texts, flags and null") func values() throws {
    var keys: [String] = []
    let text = "\u{FEFF}{\"a\": [true, 0, false,1], \"b\\u00e9\\n\" : \"x\\\"y\\ud83d\\ude00ü\", \"n\":null,\"skip\":{\"p\":[[],{}, -1.5e3,\"]\"]}, \"i\": 7.0 }\n"
    try read(text) { json in
      try json.object { json, key in
        keys.append(key)
        switch key {
        case "a":
          var flags: [Bool] = []
          try json.array { flags.append(try $0.flag()) }
          #expect(flags == [true, false, false, true])
        case "bé\n":
          let text = try json.string()
          #expect(text == "x\"y😀ü")
        case "n":
          let isNull = json.takeNull()
          #expect(isNull)
        case "i":
          let number = try json.integer()
          #expect(number == 7)
        default: try json.skip()
        }
      }
    }
    #expect(keys == ["a", "bé\n", "n", "skip", "i"])
  }

  @Test("a value can be taken later") func later() throws {
    let numbers = try read("[[1, 2], 3]") { json in
      var place: Int?
      var last = 0
      try json.array { json in
        if json.nextIsList() {
          place = json.placeOfNext
          try json.skip()
        } else {
          last = try json.integer()
        }
      }
      #expect(last == 3)
      return try json.revisit(place ?? 0) { try $0.numbers() }
    }
    #expect(numbers == [1, 2])
  }

  @Test("failures name line, column and the way") func failures() {
    func integers(_ text: String, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
      do {
        try read(text) { json in try json.object { json, _ in try json.array { try $0.object { json, _ in _ = try json.integer() } } } }
        Issue.record("no failure", sourceLocation: sourceLocation)
      } catch {
        for word in words { #expect("\(error)".contains(word), "\(error)", sourceLocation: sourceLocation) }
      }
    }
    integers("{\"list\": [{\"id\": 1},\n  {\"id\": \"x\"}]}", "a.json:2:10: list[1].id: found \"x\"", "expected a number")
    integers("{\"list\": [{\"id\": 1.5}]}", "list[0].id", "the number 1.5, expected a whole one")
    integers("{\"list\": [{\"id\": 1}", "ends where ']' is expected")
    integers("{\"list\": [{\"id\": 1}]} x", "a.json:1:23: more text after the end")
    integers("{\"list\": [{\"id\": -}]}", "expected a number")
    integers("{\"list\": [{\"id\": 1e}]}", "'1e' is no number")
    integers("{\"list\": [{\"id: 1}]}", "a text without end")
    integers("[]", "expected an object")
    integers("", "the file is empty, expected a JSON text")
    integers("hello", "expected a JSON text")
    expectFailure(.badData, "more than 100 values in each other") { try read(String(repeating: "[", count: 5000)) { try $0.skip() } }
  }

  @Test("no end of damage ends the process") func damage() throws {
    let text = "{\"a\": [1.5e3, \"t\\u00e9\", true, null, {\"b\": -2}], \"c\": {}}"
    for end in 1..<text.utf8.count {
      #expect(throws: Failure.self) { try JSONScanner.read(Array(text.utf8.prefix(end)), path: "a") { try $0.skip() } }
    }
    for place in 0..<text.utf8.count {
      var bytes = Array(text.utf8)
      for byte in [0, 0x22, 0x5C, 0x7B, 0xFF] as [UInt8] {
        bytes[place] = byte
        _ = try? JSONScanner.read(bytes, path: "a") { json in
          try json.object { json, _ in if json.nextIsString() { _ = try json.string() } else { try json.skip() } }
        }
      }
    }
  }
}
