import Base
import Tensors

/// The header of a safetensors file: what lies where. Nothing in it is believed before it is checked.
struct SafetensorsHeader {
  struct Array {
    let name: String
    let type: ElementType
    let shape: [Int]
    /// Bytes, counted from the end of the header.
    let range: Range<Int>
  }

  /// The format's own limit.
  static let largestSize = 100_000_000
  /// Axes of an array, at most; networks use up to five.
  static let largestRank = 16

  let arrays: [Array]
  let metadata: [String: String]
  private let file: String

  /// - Parameters:
  ///   - bytes: the header's text.
  ///   - bufferSize: the bytes that follow it.
  ///   - file: named in errors.
  init(_ bytes: ArraySlice<UInt8>, bufferSize: Int, file: String) throws {
    self.file = file
    var scanner = HeaderScanner(bytes, file: file)
    var names: Set<String> = []
    var arrays: [Array] = []
    var metadata: [String: String] = [:]
    try scanner.object { scanner, name in
      guard names.insert(name).inserted else { throw scanner.failure("the name '\(name)' stands there twice") }
      if name == "__metadata__" {
        metadata = try Self.scanMetadata(&scanner)
      } else {
        arrays.append(try Self.scanArray(&scanner, name))
      }
    }
    try scanner.end()
    self.arrays = arrays
    self.metadata = metadata
    try checkCoverage(of: bufferSize)
  }

  private static func scanMetadata(_ scanner: inout HeaderScanner) throws -> [String: String] {
    var metadata: [String: String] = [:]
    try scanner.object { scanner, key in
      let value = try scanner.string()
      guard metadata.updateValue(value, forKey: key) == nil else { throw scanner.failure("the metadata key '\(key)' stands there twice") }
    }
    return metadata
  }

  private static func scanArray(_ scanner: inout HeaderScanner, _ name: String) throws -> Array {
    var type: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.object { scanner, key in
      switch key {
      case "dtype" where type == nil: type = try Self.scanType(&scanner, name)
      case "shape" where shape == nil: shape = try scanner.integers()
      case "data_offsets" where offsets == nil: offsets = try scanner.integers()
      default: throw scanner.failure("entry '\(name)' has the field '\(key)' twice, or it is none of dtype, shape, data_offsets")
      }
    }
    guard let type, let shape, let offsets else { throw scanner.failure("entry '\(name)' needs dtype, shape and data_offsets") }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw scanner.failure("entry '\(name)' has data_offsets \(offsets), expected [begin, end] with begin <= end")
    }
    guard shape.count <= largestRank else {
      throw scanner.failure("entry '\(name)' has \(shape.count) axes, expected at most \(largestRank)")
    }
    // A length of 0 makes the array empty, but others beside it must not be uncountable either: strides multiply them.
    var size = type.size
    for length in shape where length != 0 {
      let (product, overflow) = size.multipliedReportingOverflow(by: length)
      guard !overflow else { throw scanner.failure("entry '\(name)' has the shape \(shape): more bytes than can be counted") }
      size = product
    }
    if shape.contains(0) { size = 0 }
    guard size == offsets[1] - offsets[0] else {
      throw scanner.failure("entry '\(name)' of type \(type.rawValue) and shape \(shape) takes \(size) bytes, its data_offsets \(offsets) "
        + "hold \(offsets[1] - offsets[0])")
    }
    return Array(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
  }

  private static func scanType(_ scanner: inout HeaderScanner, _ name: String) throws -> ElementType {
    let text = try scanner.string()
    guard let type = ElementType(rawValue: text) else {
      throw scanner.failure("entry '\(name)' has the unknown dtype '\(text)'; known: "
        + ElementType.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return type
  }

  /// The arrays lie one after the other, without holes or overlaps, and end with the file.
  private func checkCoverage(of bufferSize: Int) throws {
    var end = 0
    for array in arrays.sorted(by: { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }) {
      guard array.range.upperBound <= bufferSize else {
        throw Failure(.badData, at: file, "entry '\(array.name)' ends at byte \(array.range.upperBound) of \(bufferSize) bytes of data",
          remedy: "The file is cut off or damaged; copy or download it again.")
      }
      guard array.range.lowerBound == end else {
        throw Failure(.badData, at: file, "entry '\(array.name)' begins at byte \(array.range.lowerBound) of the data, expected \(end): "
          + (array.range.lowerBound > end ? "a hole" : "an overlap"))
      }
      end = array.range.upperBound
    }
    guard end == bufferSize else {
      throw Failure(.badData, at: file, "the entries cover \(end) bytes of data, the file holds \(bufferSize)")
    }
  }
}
