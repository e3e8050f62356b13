
/// One value of a config that has the right type but is not allowed.
public struct ConfigProblem: Sendable, Equatable {
  /// The key path below the struct that reports it: `weight_decay`, `crop_size.height`, `betas.0`.
  public let key: String
  /// The value found.
  public let value: String
  /// The allowed values, such as `0 or more`.
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

extension ValidatedConfig {
  /// Requires that all values are in range.
  /// - Throws: `Failure(.usage)` with all values that are not.
  public func validate() throws {
    let problems = problems()
    guard !problems.isEmpty else { return }
    throw Failure(.usage, at: "", "", items: problems.map { "\($0.key) is \($0.value); allowed: \($0.allowed)" })
  }
}

/// A config struct in which one choice decides which of the other keys count: a data format without splits, an optimiser without momentum.
///
/// A key that is written although it has no effect is reported; the resolved config leaves it out.
public protocol SelectiveConfig {
  /// The key of the choice.
  static var selector: String { get }
  /// The keys that have no effect with the choice made, in snake_case.
  var unusedKeys: [String] { get }
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
