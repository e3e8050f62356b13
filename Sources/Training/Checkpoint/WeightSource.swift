import Base
import WeightFiles

/// Weights as a user names them: a file, a checkpoint or a run folder, and how its arrays are to be found.
public struct WeightSource: Sendable, Equatable {
  /// A `.safetensors` or `.pth` file, a checkpoint folder, or a run folder.
  public var path: String
  /// The key of the dictionary in a `.pth` file that holds the weights, such as `state_dict`; nil: the only one.
  public var key: String?
  /// The beginning that is taken off the names; nil: `module.`, where they have it.
  public var prefix: String?

  public init(_ path: String, key: String? = nil, prefix: String? = nil) {
    self.path = path
    self.key = key
    self.prefix = prefix
  }

  /// The arrays, and the file that they come from.
  /// - Parameters:
  ///   - part: the part of a checkpoint that holds the weights.
  ///   - note: told which checkpoint of a run was taken.
  ///   - warn: told what of a `.pth` file is left out.
  /// - Throws: `.missingInput`, `.inputOutput` and `.badData` of reading; `.usage` for a key or a prefix that is not there.
  public func read(
    part: String = WeightFile.standardPart, note: (String) -> Void = { _ in }, warn: (String) -> Void = { _ in }
  ) throws -> (file: String, state: StateDictionary) {
    let weights = try WeightFile.open(path, part: part, note: note)
    return (weights.path, try withoutPrefix(weights.stateDictionary(key: key, warn: warn), weights.path))
  }

  private func withoutPrefix(_ state: StateDictionary, _ file: String) throws -> StateDictionary {
    let prefix = prefix ?? "module."
    guard !prefix.isEmpty else { return state }
    if self.prefix != nil, !state.entries.contains(where: { $0.name.hasPrefix(prefix) }) {
      throw Failure(.usage, at: "--prefix", "no name in \(file) begins with '\(prefix)'",
                    remedy: "The names look like \(state.entries.prefix(3).map(\.name).joined(separator: ", ")).")
    }
    return try state.renamed([(prefix, "")], from: file)
  }
}
