import Tensors

/// One value of a config that has the right type but is not allowed.
public struct ConfigProblem: Sendable, Equatable {
  /// The key path below the struct that reports it: `weight_decay`, `crop_size.height`, `betas.0`.
  public let key: String
  /// The value found.
  public let value: String
  /// What is allowed, such as `0 or more`.
  public let allowed: String

  public init(_ key: String, _ value: some Any, allowed: String) {
    self.key = key
    self.value = "\(value)"
    self.allowed = allowed
  }
}

/// A config struct that knows which values are out of range.
///
/// ```swift
/// func problems() -> [ConfigProblem] {
///   var problems: [ConfigProblem] = []
///   problems.require(weightDecay >= 0, "weight_decay", weightDecay, "0 or more")
///   return problems
/// }
/// ```
public protocol ValidatedConfig {
  /// All values that are out of range; empty if the config is fine. Keys are relative to this struct.
  func problems() -> [ConfigProblem]
}

extension [ConfigProblem] {
  /// Adds a problem unless `condition` holds; write the condition so that it is false for NaN.
  public mutating func require(_ condition: Bool, _ key: String, _ value: some Any, _ allowed: String) {
    if !condition { append(ConfigProblem(key, value, allowed: allowed)) }
  }
}

/// A config value chosen from a list of names: an `enum …: String` whose cases appear in files in snake_case.
public protocol ConfigChoice: RawRepresentable<String>, CaseIterable, Codable, Sendable {}

extension ConfigChoice {
  /// The name in files and on the command line: the raw value in snake_case.
  public var configName: String { rawValue.snakeCased }

  /// The case with this name in files, if there is one.
  public static func named(_ name: String) -> Self? { allCases.first { $0.configName == name } }
}

/// A config struct that may stand in a list; keys left out in a file take the values of `init()`.
public protocol ConfigElement: Codable, Sendable {
  init()
}

/// A problem with its place, ready to be shown.
struct PlacedProblem: Sendable {
  let origin: ConfigOrigin
  let message: String

  var description: String { "\(origin): \(message)" }
}

extension Failure {
  /// All problems of a config in one failure, in reading order.
  static func config(_ problems: [PlacedProblem]) -> Failure {
    let lines = problems.enumerated().sorted { ($0.element.origin.order, $0.offset) < ($1.element.origin.order, $1.offset) }
    guard lines.count > 1 else {
      return Failure(.usage, at: problems.first?.origin.description ?? "", problems.first?.message ?? "")
    }
    return Failure(.usage, at: "", lines.map(\.element.description).joined(separator: "\n"), remedy: "\(lines.count) problems")
  }
}

extension ConfigOrigin {
  /// Files first, from top to bottom, then the command line.
  fileprivate var order: ConfigOrder {
    switch self {
    case .standard: ConfigOrder(path: "", line: 0, column: 0)
    case .file(let path, let line, let column): ConfigOrder(path: path, line: line, column: column)
    case .commandLine: ConfigOrder(path: "\u{10FFFF}", line: 0, column: 0)
    }
  }
}

private struct ConfigOrder: Comparable {
  let path: String, line: Int, column: Int

  static func < (a: ConfigOrder, b: ConfigOrder) -> Bool { (a.path, a.line, a.column) < (b.path, b.line, b.column) }
}
