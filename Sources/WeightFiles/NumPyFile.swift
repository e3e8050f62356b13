import Base
import Tensors

/// An array in a file of NumPy's (`.npy`), as feature vectors are exchanged with other tools.
///
/// Reads real and whole numbers of 8 to 64 bits, little-endian, in C or Fortran order; writes float32 or float64 in C order. Objects, which
/// NumPy would unpickle, are refused.
/// - Source: the NEP 1 format, versions 1.0, 2.0 and 3.0.
public enum NumPyFile {
  private static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

  /// The array of a file: float32 where the file has floats of at most 32 bits or whole numbers of at most 16, else float64.
  /// - Throws: `.missingInput` or `.inputOutput` if it cannot be read, `.badData` if it is no such file, or damaged.
  public static func read(at path: String) throws -> Tensor {
    let bytes = try File.bytes(at: path, limit: MemoryPool.available) { head in
      guard head.starts(with: magic) else { throw Failure.unrecognized(head, at: path, expected: "a NumPy array (.npy)") }
    }
    return try read(bytes, name: path)
  }

  /// The same for the content of a file; `name` is what messages call it.
  public static func read(_ bytes: [UInt8], name: String) throws -> Tensor {
    func failure(_ problem: String) -> Failure { Failure(.badData, at: name, "NumPy array: \(problem)") }
    guard bytes.starts(with: magic), bytes.count >= 10 else { throw failure("the beginning is missing") }
    guard (1...3).contains(bytes[6]) else { throw failure("version \(bytes[6]).\(bytes[7]) of the format, expected 1.0 to 3.0") }
    let lengthSize = bytes[6] == 1 ? 2 : 4
    guard bytes.count >= 8 + lengthSize else { throw failure("the header is cut off") }
    let length = bytes[8..<8 + lengthSize].reversed().reduce(0) { $0 << 8 | Int($1) }
    let start = 8 + lengthSize
    guard length <= bytes.count - start, length <= 1 << 16,
          let text = String(validating: bytes[start..<start + length], as: UTF8.self) else {
      throw failure("a header of \(length) bytes is cut off, or too long")
    }
    let header = try Header(text, failure)
    let data = bytes[(start + length)...]
    var count = header.shape.contains(0) ? 0 : 1
    for axis in header.shape {
      let (product, isOverflow) = count.multipliedReportingOverflow(by: axis)
      guard !isOverflow, product <= data.count else {
        throw failure("the shape \(header.shape) asks for more elements than the file has bytes")
      }
      count = product
    }
    guard count * header.type.size == data.count else {
      throw failure("\(header.shape) elements of \(header.type.size) bytes, but \(data.count) bytes follow the header")
    }
    let shape = header.isFortranOrder ? header.shape.reversed() : header.shape
    let entry = data.withUnsafeBytes { Safetensors.Entry("", type: header.type, shape: shape, bytes: $0) }
    let integers = entry.integers.map { Tensor($0.map(Double.init), shape: shape, precision: .float64) }
    guard let array = entry.tensor ?? integers else { throw failure("there are no numbers in it") }
    return header.isFortranOrder && shape.count > 1 ? array.transposed(Array((0..<shape.count).reversed())) : array
  }

  /// Writes a file, complete or not at all.
  /// - Throws: `.cannotCreate`, `.inputOutput`.
  public static func write(_ array: Tensor, to path: String) throws { try AtomicFile.write(bytes(of: array), to: path) }

  /// The content of a file.
  public static func bytes(of array: Tensor) -> [UInt8] {
    let type = array.precision == .float32 ? "<f4" : "<f8"
    let shape = array.shape.map { "\($0)," }.joined(separator: " ")
    let tuple = array.rank == 1 ? shape : String(shape.dropLast())
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(tuple)), }"
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    let length = UInt16(header.utf8.count)
    return magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(header.utf8) + array.withBytes { Array($0) }
  }
}

extension NumPyFile {
  /// `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
  private struct Header {
    let type: ElementType
    let isFortranOrder: Bool
    let shape: [Int]

    init(_ text: String, _ failure: (String) -> Failure) throws {
      guard let name = Header.value(of: "descr", in: text, from: "'", to: "'"),
            let order = Header.value(of: "fortran_order", in: text, from: " ", to: ","),
            let tuple = Header.value(of: "shape", in: text, from: "(", to: ")") else {
        throw failure("the header is no dictionary of descr, fortran_order and shape: \(text.prefix(100))")
      }
      guard let type = Header.types[name] else {
        throw failure("elements of the type '\(name)'; known: \(Header.types.keys.sorted().joined(separator: ", "))")
      }
      guard order == "True" || order == "False" else { throw failure("fortran_order is '\(order)', expected True or False") }
      let lengths = tuple.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }.map { Int($0) }
      let shape = lengths.compactMap { $0 }
      guard shape.count == lengths.count, shape.count <= 16, !shape.contains(where: { $0 < 0 }) else {
        throw failure("the shape is (\(tuple)), expected at most 16 whole numbers")
      }
      (self.type, isFortranOrder, self.shape) = (type, order == "True", shape)
    }

    private static let types: [String: ElementType] = [
      "<f2": .float16, "<f4": .float32, "<f8": .float64, "|b1": .bool, "|u1": .uint8, "|i1": .int8, "<i2": .int16, "<i4": .int32,
      "<i8": .int64,
    ]

    /// The text between two signs behind `'key':`.
    private static func value(of key: String, in text: String, from first: Character, to last: Character) -> String? {
      guard let found = text.range(of: "'\(key)':") else { return nil }
      let rest = text[found.upperBound...]
      guard let start = rest.firstIndex(of: first) else { return nil }
      let value = rest[rest.index(after: start)...]
      return value.firstIndex(of: last).map { String(value[..<$0]) }
    }
  }
}
