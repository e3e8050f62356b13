import Base
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
    /// The type in the file that the array came from; of arrays made here, the type that they are written with.
    public let sourceType: ElementType

    init(name: String, shape: [Int], values: Values, sourceType: ElementType) {
      (self.name, self.shape, self.values, self.sourceType) = (name, shape, values, sourceType)
    }

    public init(_ name: String, _ tensor: Tensor) {
      self.init(name: name, shape: tensor.shape, values: .real(tensor.detached()),
                sourceType: tensor.precision == .float32 ? .float32 : .float64)
    }

    public init(_ name: String, integers: [Int64], shape: [Int]) {
      require(shape.reduce(1, *) == integers.count, "Safetensors: \(integers.count) integers for the shape \(shape) of '\(name)'")
      self.init(name: name, shape: shape, values: .integers(integers), sourceType: .int64)
    }

    /// The type that the array is written with.
    public var type: ElementType {
      switch values {
      case .real(let tensor): tensor.precision == .float32 ? .float32 : .float64
      case .integers: .int64
      }
    }

    /// The real numbers; nil for integers.
    public var tensor: Tensor? { if case .real(let tensor) = values { tensor } else { nil } }
    /// The 64-bit integers; nil for real numbers.
    public var integers: [Int64]? { if case .integers(let integers) = values { integers } else { nil } }

    /// Whether shape and values are the same, to the bit.
    public func isIdentical(to other: Entry) -> Bool {
      switch (values, other.values) {
      case (.real(let a), .real(let b)): a.isIdentical(to: b)
      case (.integers(let a), .integers(let b)): shape == other.shape && a == b
      default: false
      }
    }

    /// The same array under another name.
    public func renamed(_ name: String) -> Entry { Entry(name: name, shape: shape, values: values, sourceType: sourceType) }
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
