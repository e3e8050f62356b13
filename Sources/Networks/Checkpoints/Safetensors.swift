import Tensors

/// Named arrays and notes, as a safetensors file holds them.
///
/// ```swift
/// let file = Safetensors([.init("bias", Tensor([1, 2], shape: [2]))], metadata: ["step": "7"])
/// let copy = try Safetensors(bytes: file.bytes, name: "copy.safetensors")
/// copy["bias"]?.tensor?.doubles   // [1, 2]
/// ```
/// - Source: the format's README and reference reader, github.com/huggingface/safetensors.
public struct Safetensors: Sendable {
  /// One array under its name.
  public struct Entry: Sendable {
    /// What the array holds.
    public enum Values: Sendable {
      case real(Tensor)
      /// 64-bit integers in row-major order.
      case integers([Int64])
    }

    public let name: String
    public let shape: [Int]
    public let values: Values

    public init(_ name: String, _ tensor: Tensor) {
      self.name = name
      shape = tensor.shape
      values = .real(tensor.detached())
    }

    public init(_ name: String, integers: [Int64], shape: [Int]) {
      require(shape.reduce(1, *) == integers.count, "Safetensors: \(integers.count) integers for the shape \(shape) of '\(name)'")
      self.name = name
      self.shape = shape
      values = .integers(integers)
    }

    /// The real numbers; nil for integers.
    public var tensor: Tensor? { if case .real(let tensor) = values { tensor } else { nil } }
    /// The 64-bit integers; nil for real numbers.
    public var integers: [Int64]? { if case .integers(let integers) = values { integers } else { nil } }

    /// The same array under another name.
    public func renamed(_ name: String) -> Entry {
      switch values {
      case .real(let tensor): Entry(name, tensor)
      case .integers(let integers): Entry(name, integers: integers, shape: shape)
      }
    }
  }

  public let entries: [Entry]
  public let metadata: [String: String]
  private let places: [String: Int]

  /// - Precondition: no two entries have one name.
  public init(_ entries: [Entry], metadata: [String: String] = [:]) {
    self.entries = entries
    self.metadata = metadata
    places = Dictionary(entries.enumerated().map { ($1.name, $0) }) { first, _ in
      stop("Safetensors: two entries are named '\(entries[first].name)'")
    }
  }

  public subscript(name: String) -> Entry? { places[name].map { entries[$0] } }

  /// Reads a file.
  /// - Throws: `.missingInput` or `.inputOutput` if it cannot be read, `.badData` if it is no valid safetensors file.
  public init(at path: String) throws {
    try self.init(bytes: File.bytes(at: path), name: path)
  }

  /// Writes a file, complete or not at all.
  /// - Throws: `.cannotCreate` or `.inputOutput`.
  public func write(to path: String) throws {
    try AtomicFile.write(bytes, to: path)
  }
}

/// The number formats of the files that we read.
enum SafetensorsType: String, CaseIterable {
  case bool = "BOOL", uint8 = "U8", int8 = "I8", int16 = "I16", int32 = "I32", int64 = "I64"
  case float16 = "F16", bfloat16 = "BF16", float32 = "F32", float64 = "F64"

  /// Bytes of one element.
  var size: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .int16, .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }
}
