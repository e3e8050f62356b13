import Base
import Tensors

// The bytes: 8 for the header's length (little-endian), the header in JSON, padded with spaces to a multiple of 8, then the data.

extension Safetensors {
  /// Reads the whole of `bytes`. F32 and F64 keep their precision, I64 stays whole; the other types become float32.
  /// - Parameter name: the file's name, for errors.
  /// - Throws: `.badData` with the file, the entry and what is wrong with it.
  public init(bytes: [UInt8], name: String) throws {
    guard bytes.count >= 8 else {
      throw Self.foreign(bytes, name, "\(bytes.count) bytes are no safetensors file; the length of its header alone takes 8")
    }
    let length = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= UInt64(SafetensorsHeader.largestSize), length <= UInt64(bytes.count - 8) else {
      let claim = "it claims a header of \(length) bytes in a file of \(bytes.count)"
      throw Self.foreign(bytes, name, "this is no safetensors file, or it is cut off: \(claim)")
    }
    let end = 8 + Int(length)
    guard end > 8, bytes[8] == UInt8(ascii: "{") else {
      throw Self.foreign(bytes, name, "the header does not begin with '{'; this is no safetensors file")
    }
    let header = try SafetensorsHeader(bytes[8..<end], bufferSize: bytes.count - end, file: name)
    let entries = bytes.withUnsafeBytes { whole in
      header.arrays.map { array in
        let range = end + array.range.lowerBound..<end + array.range.upperBound
        return Entry(array.name, type: array.type, shape: array.shape, bytes: UnsafeRawBufferPointer(rebasing: whole[range]))
      }
    }
    self.init(entries, metadata: header.metadata)
  }

  /// Whether a file begins like one of this format.
  static func recognizes(_ bytes: [UInt8]) -> Bool { FileKind(of: bytes)?.name == "a safetensors file" }

  /// A file of another kind: what it is instead, if its first bytes tell.
  private static func foreign(_ bytes: [UInt8], _ name: String, _ problem: String) -> Failure {
    guard !recognizes(bytes), let kind = FileKind(of: bytes) else { return Failure(.badData, at: name, problem) }
    return Failure(.badData, at: name, "this is no safetensors file but \(kind.name)", remedy: kind.remedy)
  }

  /// The file's bytes. Arrays stand in the reference writer's order: larger elements first, then by name.
  public var bytes: [UInt8] {
    let sorted = entries.sorted { a, b in
      a.elementSize != b.elementSize ? a.elementSize > b.elementSize : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
    }
    var fields: [String] = []
    var offset = 0
    if !metadata.isEmpty {
      let notes = metadata.sorted { $0.key < $1.key }.map { "\($0.quotedJSON):\($1.quotedJSON)" }
      fields.append("\"__metadata__\":{\(notes.joined(separator: ","))}")
    }
    for entry in sorted {
      let end = offset + entry.shape.reduce(1, *) * entry.elementSize
      let shape = entry.shape.map(String.init).joined(separator: ",")
      let description = "{\"dtype\":\"\(entry.type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
      fields.append("\(entry.name.quotedJSON):\(description)")
      offset = end
    }
    var header = Array("{\(fields.joined(separator: ","))}".utf8)
    header += Array(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    var result = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
    result.reserveCapacity(8 + header.count + offset)
    result += header
    for entry in sorted { entry.append(to: &result) }
    return result
  }
}

extension Safetensors.Entry {
  fileprivate var elementSize: Int { type.size }

  /// The elements in row-major order, little-endian.
  func append(to bytes: inout [UInt8]) {
    switch values {
    case .real(let tensor): tensor.withBytes { bytes.append(contentsOf: $0) }
    case .integers(let integers): integers.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
  }
}
