import Base
import Tensors
import WeightFiles

/// The feature vectors of a set of pictures, as one network sees them.
///
/// In files: a NumPy array `NAME.npy` of the vectors, and `NAME.txt` with the name of a picture on each line, in the same order. Without
/// the names, vectors of two sets belong together by their rows.
/// ```swift
/// let real = try FeatureSet(at: "real.npy")
/// let found = try FeatureSet(at: "found.npy")
/// print(frechetDistance(real, found))
/// ```
public struct FeatureSet: Sendable {
  /// The names of the pictures, in the order of the rows.
  public let names: [String]
  /// The vectors. - Shape: `[n, d]`, float64.
  public let values: Tensor

  /// Pictures.
  public var count: Int { values.shape[0] }
  /// Numbers in a vector.
  public var width: Int { values.shape[1] }

  /// - Parameters:
  ///   - values: `[n, d]`.
  ///   - place: where they come from, for errors.
  /// - Throws: `.badData` if there is no vector, a number is not finite, or names are too few, too many or not different.
  public init(names: [String], values: Tensor, from place: String = "features") throws {
    guard values.rank == 2, values.count > 0 else {
      throw Failure(.badData, at: place, "an array of shape \(values.shape), expected one feature vector a row, [pictures, numbers]")
    }
    guard values.isFinite else { throw Failure(.badData, at: place, "the features hold infinities or NaN") }
    guard names.count == values.shape[0] else {
      throw Failure(.badData, at: place, "\(names.count) names for \(values.shape[0]) feature vectors")
    }
    var seen: Set<String> = []
    if let double = names.first(where: { !seen.insert($0).inserted }) {
      throw Failure(.badData, at: place, "two pictures are named '\(double)'")
    }
    self.names = names
    self.values = values.detached().converted(to: .float64)
  }

  /// Reads `NAME.npy`, and `NAME.txt` if it is there.
  /// - Throws: the failures of reading, and those of `init(names:values:from:)`.
  public init(at path: String) throws {
    let values = try NumPyFile.read(at: path)
    let list = Self.nameFile(of: path)
    let rows = (0..<(values.shape.first ?? 0)).map { "row \($0)" }
    let names = try File.exists(list) ? try File.text(at: list).split(separator: "\n").map(String.init) : rows
    try self.init(names: names, values: values, from: path)
  }

  /// Writes `NAME.npy` in float64, and `NAME.txt`.
  /// - Throws: `.cannotCreate`, `.inputOutput`.
  public func write(to path: String) throws {
    try NumPyFile.write(values, to: path)
    try AtomicFile.write(names.map { $0 + "\n" }.joined(), to: Self.nameFile(of: path))
  }

  private static func nameFile(of path: String) -> String {
    (path.hasSuffix(".npy") ? String(path.dropLast(4)) : path) + ".txt"
  }

  /// The same vectors in the order of other names.
  /// - Throws: `.badData` if the names are not the same ones.
  func ordered(like other: FeatureSet) throws -> FeatureSet {
    let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($0.element, $0.offset) })
    let missing = other.names.filter { places[$0] == nil }
    guard missing.isEmpty, names.count == other.names.count else {
      let example = missing.first.map { ": '\($0)' is in one set only" } ?? ""
      throw Failure(.badData, at: "features", "sets of \(other.count) and \(count) pictures cannot be paired by name\(example)")
    }
    return try FeatureSet(names: other.names, values: values.gathered(0, other.names.compactMap { places[$0] }))
  }

  /// - Throws: `.badData` unless both sets have vectors of one length.
  static func requireComparable(_ first: FeatureSet, _ second: FeatureSet) throws {
    guard first.width == second.width else {
      throw Failure(.badData, at: "features", "vectors of \(first.width) and of \(second.width) numbers come from different networks")
    }
  }
}
