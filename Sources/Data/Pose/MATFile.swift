import Base
import CPNG
import Vision

/// The numeric arrays of a MAT-file of level 5, as MATLAB and scipy write it, compressed or not. Cells, structs and texts are passed over.
///
/// - Source: MathWorks, "MAT-File Format".
struct MATFile {
  /// Numbers with their sizes, the first index fastest.
  struct Array {
    let sizes: [Int]
    let values: [Double]
  }

  /// The element types of the format that hold numbers, and the matrices around them.
  private enum ElementType: UInt32 {
    case int8 = 1, uint8, int16, uint16, int32, uint32, single, double = 9, int64 = 12, uint64, matrix, compressed

    var size: Int {
      switch self {
      case .int8, .uint8, .matrix, .compressed: 1
      case .int16, .uint16: 2
      case .int32, .uint32, .single: 4
      case .double, .int64, .uint64: 8
      }
    }
  }

  /// No array that is read is larger, in bytes.
  private static let limit = 1 << 26

  let path: String
  private(set) var arrays: [String: Array] = [:]

  /// - Throws: `.missingInput`; `.badData` if it is no such file, or ends early.
  init(contentsOf path: String) throws {
    self.path = path
    let bytes = try File.bytes(at: path)
    guard bytes.count >= 128, bytes[126] == UInt8(ascii: "I"), bytes[127] == UInt8(ascii: "M") else {
      throw Failure(.badData, at: path, "this is no MAT-file of level 5 in little-endian order",
                    remedy: "Save it with save(..., '-v7'), or scipy.io.savemat.")
    }
    var reader = Reader(bytes: bytes[128...], path: path)
    while let (type, data) = try reader.element() {
      switch ElementType(rawValue: type) {
      case .matrix: try add(data)
      case .compressed:
        var inner = Reader(bytes: try inflated(data)[...], path: path)
        if let (type, data) = try inner.element(), ElementType(rawValue: type) == .matrix { try add(data) }
      default: continue
      }
    }
  }

  /// The boxes of `headboxes_src` `[2, 2, n]`: upper left and lower right corner of each head.
  /// - Throws: `.badData` if there is no such array.
  func headBoxes() throws -> [BoundingBox] {
    guard let array = arrays["headboxes_src"], array.sizes.count == 3, array.sizes[0] == 2, array.sizes[1] == 2 else {
      let found = arrays.map { "\($0) \($1.sizes)" }.sorted()
      throw Failure(.badData, at: path, "there is no array headboxes_src [2, 2, n]; found \(someOf(found))",
                    remedy: "PCKh needs the authors' gt_valid.mat.")
    }
    return (0..<array.sizes[2]).map { n in
      let v = array.values[4 * n..<4 * n + 4].map { $0 }
      return BoundingBox(x0: v[0], y0: v[2], x1: v[1], y1: v[3])
    }
  }

  private func inflated(_ data: ArraySlice<UInt8>) throws -> [UInt8] {
    var capacity = max(1024, 8 * data.count)
    while capacity <= Self.limit {
      let out = [UInt8](unsafeUninitializedCapacity: capacity) { out, count in
        count = data.withUnsafeBufferPointer { source in
          guard let source = source.baseAddress, let target = out.baseAddress else { return 0 }
          return cpng_inflate(source, data.count, target, capacity)
        }
      }
      if !out.isEmpty { return out }
      capacity *= 4
    }
    throw Failure(.badData, at: path, "a compressed array is broken, or larger than \(Self.limit >> 20) MiB")
  }

  /// Adds a matrix if its class is numeric.
  private mutating func add(_ data: ArraySlice<UInt8>) throws {
    var reader = Reader(bytes: data, path: path)
    guard let (_, flags) = try reader.element(), let kind = flags.first, (6...15).contains(kind) else { return }
    guard let (_, sizes) = try reader.element(), let (_, name) = try reader.element(), let (type, part) = try reader.element(),
          let element = ElementType(rawValue: type) else { return }
    let lengths = Self.numbers(sizes, .int32).map { Int($0) }
    let values = Self.numbers(part, element)
    var count = 1
    for length in lengths {
      let product = count.multipliedReportingOverflow(by: length)
      guard length >= 0, !product.overflow else { throw Failure(.badData, at: path, "an array of the sizes \(lengths)") }
      count = product.partialValue
    }
    let title = String(decoding: name, as: UTF8.self)
    guard count == values.count else {
      throw Failure(.badData, at: path, "the array \(title) of the sizes \(lengths) has \(values.count) numbers")
    }
    arrays[title] = Array(sizes: lengths, values: values)
  }

  private static func numbers(_ data: ArraySlice<UInt8>, _ type: ElementType) -> [Double] {
    data.withUnsafeBytes { raw in
      (0..<raw.count / type.size).map { index in
        let place = index * type.size
        switch type {
        case .int8: return Double(raw.loadUnaligned(fromByteOffset: place, as: Int8.self))
        case .uint8, .matrix, .compressed: return Double(raw[place])
        case .int16: return Double(raw.loadUnaligned(fromByteOffset: place, as: Int16.self))
        case .uint16: return Double(raw.loadUnaligned(fromByteOffset: place, as: UInt16.self))
        case .int32: return Double(raw.loadUnaligned(fromByteOffset: place, as: Int32.self))
        case .uint32: return Double(raw.loadUnaligned(fromByteOffset: place, as: UInt32.self))
        case .single: return Double(raw.loadUnaligned(fromByteOffset: place, as: Float.self))
        case .double: return raw.loadUnaligned(fromByteOffset: place, as: Double.self)
        case .int64: return Double(raw.loadUnaligned(fromByteOffset: place, as: Int64.self))
        case .uint64: return Double(raw.loadUnaligned(fromByteOffset: place, as: UInt64.self))
        }
      }
    }
  }

  /// The elements of a piece of the file, one after the other.
  private struct Reader {
    var bytes: ArraySlice<UInt8>
    let path: String

    private func word(_ offset: Int) -> UInt32 {
      bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    }

    /// The next element; nil at the end.
    mutating func element() throws -> (type: UInt32, data: ArraySlice<UInt8>)? {
      guard !bytes.isEmpty else { return nil }
      guard bytes.count >= 8 else { throw Failure(.badData, at: path, "the file ends within an element") }
      let first = word(0)
      // A small element: size and type in one word, at most four bytes in the next.
      if first >> 16 != 0 {
        let size = Int(first >> 16)
        guard size <= 4 else { throw Failure(.badData, at: path, "a small element of \(size) bytes") }
        let data = bytes.dropFirst(4).prefix(size)
        bytes = bytes.dropFirst(8)
        return (first & 0xFFFF, data)
      }
      let size = Int(word(4))
      guard bytes.count - 8 >= size else { throw Failure(.badData, at: path, "the file ends within an element") }
      let data = bytes.dropFirst(8).prefix(size)
      // Elements begin at multiples of 8, but those after compressed ones.
      bytes = bytes.dropFirst(8 + (first == ElementType.compressed.rawValue ? size : (size + 7) / 8 * 8))
      return (first, data)
    }
  }
}
