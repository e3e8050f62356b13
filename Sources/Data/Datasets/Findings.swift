import Base

/// How much a finding in a data set matters.
public enum FindingSeverity: String, Sendable {
  /// Training stops there, or would learn something else than is meant.
  case error
  /// The reader mends it, and it should be known.
  case warning
  /// A fact.
  case note
}

/// The kinds of things that may be wrong with a kind of data set.
public protocol FindingKind: RawRepresentable<String>, CaseIterable, Hashable, Sendable {
  var severity: FindingSeverity { get }
  /// What it is, in the plural.
  var message: String { get }
  /// What the reader makes of it, or what to do.
  var consequence: String { get }
}

/// What was found in a data set: counted by kind, with the first few examples.
public struct Findings<Kind: FindingKind>: Sendable, CustomStringConvertible {
  /// One kind of thing, and how often.
  public struct Finding: Sendable, Equatable {
    public let kind: Kind
    public fileprivate(set) var count: Int
    /// The first few, with what was found in them.
    public fileprivate(set) var examples: [String]
  }

  /// Examples of a kind, at most.
  public static var exampleLimit: Int { 5 }

  private var byKind: [Kind: Finding] = [:]

  public init() {}

  /// One more of a kind.
  public mutating func add(_ kind: Kind, _ example: String) {
    var finding = byKind[kind] ?? Finding(kind: kind, count: 0, examples: [])
    finding.count += 1
    if finding.examples.count < Self.exampleLimit { finding.examples.append(example) }
    byKind[kind] = finding
  }

  /// In the order of the kinds, without those that do not occur.
  public var all: [Finding] { Kind.allCases.compactMap { byKind[$0] } }

  public subscript(kind: Kind) -> Finding? { byKind[kind] }

  /// Whether there is no error.
  public var isUsable: Bool { !byKind.keys.contains { $0.severity == .error } }

  public var description: String {
    guard !byKind.isEmpty else { return "nothing to report\n" }
    return all.map { finding in
      let head = "\(finding.kind.severity): \(finding.count) \(finding.kind.message) (\(finding.kind.consequence))\n"
      let more = finding.count > finding.examples.count ? ["..."] : []
      return head + (finding.examples + more).map { "    \($0.printable())\n" }.joined()
    }.joined()
  }
}
