import Base
import Tensors

/// The stack machine that a pickle is a program for.
struct PickleReader {
  private let bytes: [UInt8]
  private let limit: Int
  private let file: String
  private let start: Int
  private var place: Int
  private var opcodePlace = 0
  private var pickle = Pickle()
  private var stack: [Pickle.Reference] = []
  private var marks: [Int] = []
  private var memo: [Int: Pickle.Reference] = [:]
  private var referenceCount = 0

  private init(_ bytes: [UInt8], _ range: Range<Int>, file: String) {
    (self.bytes, limit, self.file) = (bytes, range.upperBound, file)
    start = range.lowerBound
    place = start
  }

  /// Reads one pickle from the beginning of a range of the file.
  /// - Throws: `.badData` with the place and what is wrong there.
  static func read(_ bytes: [UInt8], _ range: Range<Int>, file: String) throws -> Pickle {
    var reader = PickleReader(bytes, range, file: file)
    while try reader.step() {}
    reader.pickle.end = reader.place
    return reader.pickle
  }

  private func failure(_ problem: String) -> Failure {
    Failure(.badData, at: file, "pickle, byte \(opcodePlace - start): \(problem)")
  }

  // MARK: Numbers and texts

  private mutating func take(_ count: Int) throws -> Range<Int> {
    guard count <= limit - place else {
      throw failure("\(count) bytes are needed, \(limit - place) are left; the file is cut off or damaged")
    }
    defer { place += count }
    return place..<place + count
  }

  /// An unsigned number of up to eight bytes, little-endian.
  private mutating func unsigned(_ size: Int) throws -> UInt64 {
    try take(size).reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
  }

  private mutating func length(_ size: Int) throws -> Int {
    let length = try unsigned(size)
    guard let count = Int(exactly: length), count <= limit - place else {
      throw failure("\(length) bytes are claimed, \(limit - place) are left; the file is cut off or damaged")
    }
    return count
  }

  private mutating func text(_ size: Int) throws -> Pickle.Node {
    let count = try length(size)
    guard count <= Pickle.Limit.text else { throw failure("a text of \(count) bytes is too long") }
    guard let text = String(validating: bytes[try take(count)], as: UTF8.self) else { throw failure("a text is not UTF-8") }
    return .text(text)
  }

  /// A string of Python 2: text if it can be, else bytes.
  private mutating func oldString(_ size: Int) throws -> Pickle.Node {
    let count = try length(size)
    let range = try take(count)
    guard count <= Pickle.Limit.text, let text = String(validating: bytes[range], as: UTF8.self) else { return .bytes(range) }
    return .text(text)
  }

  private mutating func line() throws -> String {
    let rest = bytes[place..<min(limit, place + Pickle.Limit.name)]
    guard let end = rest.firstIndex(of: UInt8(ascii: "\n")), let text = String(validating: rest[..<end], as: UTF8.self) else {
      throw failure("the name of a class or function does not end")
    }
    place = end + 1
    return text
  }

  /// A whole number of `size` bytes, two's complement.
  private mutating func long(_ size: Int) throws -> Pickle.Node {
    let range = try take(size)
    guard size <= 8 else { return .hugeInteger }
    guard let top = range.last else { return .integer(0) }
    let bits = range.reversed().reduce(UInt64(bytes[top] >= 0x80 ? UInt64.max : 0)) { $0 << 8 | UInt64(bytes[$1]) }
    return .integer(Int(Int64(bitPattern: bits)))
  }

  // MARK: The stack

  private mutating func push(_ node: Pickle.Node) throws {
    guard pickle.nodes.count < Pickle.Limit.nodes else { throw failure("more than \(Pickle.Limit.nodes) values") }
    pickle.nodes.append(node)
    try push(reference: pickle.nodes.count - 1)
  }

  private mutating func push(reference: Pickle.Reference) throws {
    referenceCount += 1
    guard referenceCount <= Pickle.Limit.references else { throw failure("more than \(Pickle.Limit.references) uses of values") }
    stack.append(reference)
  }

  private mutating func pop() throws -> Pickle.Reference {
    guard stack.count > marks.last ?? 0, let top = stack.popLast() else { throw failure("a value is needed where there is none") }
    return top
  }

  private mutating func pop(_ count: Int) throws -> [Pickle.Reference] {
    guard stack.count - count >= marks.last ?? 0 else { throw failure("\(count) values are needed where there are fewer") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  /// All values above the last mark.
  private mutating func popMark() throws -> [Pickle.Reference] {
    guard let mark = marks.popLast() else { throw failure("a mark is needed where there is none") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func mark() throws {
    guard marks.count < Pickle.Limit.marks else {
      throw failure("more than \(Pickle.Limit.marks) open marks: the values are nested too deeply")
    }
    marks.append(stack.count)
  }

  private mutating func memorise(_ index: Int) throws {
    guard stack.count > marks.last ?? 0, let top = stack.last else { throw failure("a value is needed where there is none") }
    guard memo.count < Pickle.Limit.nodes else { throw failure("more than \(Pickle.Limit.nodes) remembered values") }
    memo[index] = top
  }

  private mutating func recall(_ index: Int) throws {
    guard let reference = memo[index] else { throw failure("the remembered value \(index) does not exist") }
    try push(reference: reference)
  }

  // MARK: Collections and objects

  /// Puts elements into the list, set or object on top of the stack.
  private mutating func extend(with more: [Pickle.Reference]) throws {
    guard stack.count > marks.last ?? 0, let target = stack.last else { throw failure("a value is needed where there is none") }
    switch pickle[target] {
    case .list, .set, .object: pickle.elements[target, default: []] += more
    default: throw failure("elements are put into something that is no list")
    }
  }

  /// Puts keys and values into the dictionary or object on top of the stack.
  private mutating func extend(withItems more: [Pickle.Reference]) throws {
    guard stack.count > marks.last ?? 0, let target = stack.last else { throw failure("a value is needed where there is none") }
    guard more.count.isMultiple(of: 2) else { throw failure("a key has no value") }
    switch pickle[target] {
    case .dictionary, .object: pickle.items[target, default: []] += more
    default: throw failure("keys are put into something that is no dictionary")
    }
  }

  private mutating func object(_ callable: Pickle.Reference, _ arguments: Pickle.Reference) throws {
    guard case .global = pickle[callable] else { throw failure("something that is no class or function is to be called") }
    try push(.object(.init(callable: callable, arguments: arguments)))
  }

  private mutating func build() throws {
    let state = try pop()
    let target = try pop()
    guard case .object(var object) = pickle[target] else { throw failure("the state of an object is put into something else") }
    object.state = state
    pickle.nodes[target] = .object(object)
    try push(reference: target)
  }

  private mutating func global(_ module: Pickle.Reference, _ name: Pickle.Reference) throws {
    guard case .text(let module) = pickle[module], case .text(let name) = pickle[name] else {
      throw failure("the name of a class or function is no text")
    }
    try push(.global(module: module, name: name))
  }
}

// MARK: - Opcodes

extension PickleReader {
  /// Obeys one opcode; false at the end.
  private mutating func step() throws -> Bool {
    opcodePlace = place
    let opcode = bytes[try take(1).lowerBound]
    if opcode >= 0x80 { return try extended(opcode) }
    switch Unicode.Scalar(opcode) {
    case ".": return try finish()
    case "(": try mark()
    case "0": _ = try pop()
    case "1": _ = try popMark()
    case "N": try push(.none)
    case "J": try push(.integer(Int(Int32(truncatingIfNeeded: unsigned(4)))))
    case "K": try push(.integer(Int(unsigned(1))))
    case "M": try push(.integer(Int(unsigned(2))))
    case "G": try push(.real(Double(bitPattern: unsigned(8).byteSwapped)))
    case "X": try push(text(4))
    case "T": try push(oldString(4))
    case "U": try push(oldString(1))
    case "B": try push(.bytes(take(length(4))))
    case "C": try push(.bytes(take(length(1))))
    case "}": try push(.dictionary)
    case "]": try push(.list)
    case ")": try push(.tuple([]))
    case "t": try push(.tuple(popMark()))
    case "s": try extend(withItems: pop(2))
    case "u": try extend(withItems: popMark())
    case "a": try extend(with: pop(1))
    case "e": try extend(with: popMark())
    case "c": try push(.global(module: line(), name: line()))
    case "R":
      let parts = try pop(2)
      try object(parts[0], parts[1])
    case "b": try build()
    case "Q": try push(.persistent(pop()))
    case "q": try memorise(Int(unsigned(1)))
    case "r": try memorise(Int(unsigned(4)))
    case "h": try recall(Int(unsigned(1)))
    case "j": try recall(Int(unsigned(4)))
    default: throw unknown(opcode)
    }
    return true
  }

  private mutating func extended(_ opcode: UInt8) throws -> Bool {
    switch opcode {
    case 0x80:
      let version = try unsigned(1)
      guard (2...5).contains(version) else { throw failure("pickle protocol \(version), expected 2 to 5") }
    case 0x81:
      let parts = try pop(2)
      try object(parts[0], parts[1])
    case 0x82...0x84: throw unknown(opcode)  // extension codes
    case 0x85...0x87: try push(.tuple(pop(Int(opcode) - 0x84)))
    case 0x88, 0x89: try push(.bool(opcode == 0x88))
    case 0x8A: try push(long(Int(unsigned(1))))
    case 0x8B: try push(long(length(4)))
    case 0x8C: try push(text(1))
    case 0x8D: try push(text(8))
    case 0x8E: try push(.bytes(take(length(8))))
    case 0x8F: try push(.set)
    case 0x90: try extend(with: popMark())
    case 0x91:  // a frozen set
      let elements = try popMark()
      try push(.set)
      try extend(with: elements)
    case 0x92:  // a class, its arguments, and those with names
      let parts = try pop(3)
      try push(.tuple([parts[1], parts[2]]))
      try object(parts[0], pop())
    case 0x93:
      let parts = try pop(2)
      try global(parts[0], parts[1])
    case 0x94: try memorise(memo.count)
    case 0x95: _ = try unsigned(8)  // the length of what follows, told for the sake of buffers
    default: throw unknown(opcode)
    }
    return true
  }

  private func unknown(_ opcode: UInt8) -> Failure {
    let digits = String(opcode, radix: 16, uppercase: true)
    return failure("the opcode 0x\(digits.count < 2 ? "0" : "")\(digits) does not occur in PyTorch's files")
  }

  private mutating func finish() throws -> Bool {
    guard stack.count == 1, marks.isEmpty else { throw failure("the pickle ends with \(stack.count) values on its stack, expected one") }
    pickle.root = stack[0]
    return false
  }
}
