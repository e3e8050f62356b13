/// A collection of samples, read on demand, from any thread.
public protocol Dataset<Sample>: Sendable {
  associatedtype Sample: Sendable

  /// The number of samples, at least one.
  var count: Int { get }

  /// Reads one sample.
  /// - Throws: `.missingInput`, `.badData` if a file is gone, corrupt, or does not fit the others.
  func sample(at index: Int) throws -> Sample

  /// The name of a sample, unique within the set and fit to be part of a file name.
  func name(of index: Int) -> String
}
