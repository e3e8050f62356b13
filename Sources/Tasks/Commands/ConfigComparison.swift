import Base
import Training

/// The differences of two configs, each given as a config file, a run folder or a checkpoint folder.
public struct ConfigComparison: Sendable {
  /// As they were named.
  public let a: String
  public let b: String
  public let differences: [ConfigDifference]
  /// Values of `a`, in all.
  public let count: Int

  /// - Throws: `.missingInput` for a path that leads to no config, and `.usage` with all that is wrong with one.
  public init(_ a: String, _ b: String) throws {
    let first = try Self.config(at: a)
    (self.a, self.b) = (a, b)
    differences = first.differences(to: try Self.config(at: b))
    count = first.count
  }

  public var areEqual: Bool { differences.isEmpty }

  private static func config(at path: String) throws -> ResolvedConfig {
    let request = ConfigRequest(try file(for: path))
    return try request.task().tracedConfig(request)
  }

  /// The config file that a path stands for.
  /// - Throws: `.missingInput` if there is none.
  public static func file(for path: String) throws -> String {
    let expected = "Expected a config file, a run folder or a checkpoint folder (RUN/checkpoints/step_…)."
    switch try File.kind(at: path) {
    case nil: throw Failure(.missingInput, at: path, "there is no such file or folder", remedy: expected)
    case .folder?: break
    case .file?, .other?: return path
    }
    let inside = Path.join(path, "config.yaml")
    guard try File.exists(inside) else {
      throw Failure(.missingInput, at: path, "there is no config.yaml in this folder", remedy: expected)
    }
    return inside
  }

  /// In the form of `diff -U0`: a key, and below it the value of `a` after a minus and that of `b` after a plus, each with its origin.
  public var text: String {
    guard !areEqual else { return "no differences in \(count) values\n" }
    let rows = differences.map { difference in
      let lines = [("-", difference.before), ("+", difference.after)].compactMap { sign, value in
        value.map { "\(sign) \($0.text.printable())  # \($0.origin.summary.printable())\n" }
      }
      return "@@ \(difference.key.printable())\n" + lines.joined()
    }
    return "--- \(a.printable())\n+++ \(b.printable())\n" + rows.joined()
  }

  /// One JSON object; a key that one of the two lacks is null there.
  public var json: String {
    func json(_ value: ConfigDifference.Value?) -> String {
      value.map { "{\"value\": \($0.text.quotedJSON), \"origin\": \($0.origin.summary.quotedJSON)}" } ?? "null"
    }
    let entries = differences.map { "{\"key\": \($0.key.quotedJSON), \"a\": \(json($0.before)), \"b\": \(json($0.after))}" }
    return "{\"a\": \(a.quotedJSON), \"b\": \(b.quotedJSON), \"differences\": [\(entries.joined(separator: ", "))]}\n"
  }
}
