import Base

/// One metric of a task, declared once: its name in logs and tables, what it measures, and what makes it better.
public struct MetricKind: Sendable, Equatable {
  public enum Direction: String, Codable, Sendable { case lower, higher }

  /// The name in `metrics.csv` and `--json`: printable ASCII without commas, quotes and spaces.
  public let name: String
  /// The unit, such as `px` or `%`; empty for a plain number.
  public let unit: String
  /// The quantity in a few words, for tables and legends.
  public let meaning: String
  /// The direction of better values; nil for numbers that only describe.
  public let better: Direction?
  /// Whether a NaN or an infinity ends the run: true for losses and norms of gradients.
  public let mustBeFinite: Bool
  /// Whether it is what a training makes small.
  public private(set) var isLoss = false

  public init(_ name: String, unit: String = "", _ meaning: String, better: Direction? = nil, mustBeFinite: Bool = false) {
    require(!name.isEmpty && name.allSatisfy { $0.isASCII && !$0.isWhitespace && !",\"'".contains($0) && $0 >= "!" },
            "MetricKind: '\(name)' is not fit for the head of a column: letters, digits and signs without commas, quotes and spaces")
    self.name = name
    self.unit = unit
    self.meaning = meaning
    self.better = better
    self.mustBeFinite = mustBeFinite
  }

  /// A loss, which must stay finite.
  /// - Parameter better: nil for the loss of a network that is trained against another, of which less is not better.
  public static func loss(
    _ name: String = "loss", unit: String = "", _ meaning: String = "training loss", better: Direction? = .lower
  ) -> MetricKind {
    var kind = MetricKind(name, unit: unit, meaning, better: better, mustBeFinite: true)
    kind.isLoss = true
    return kind
  }

  /// The norm of a gradient before clipping, which must stay finite.
  public static func gradientNorm(_ name: String = "grad_norm", _ meaning: String = "norm of the gradient before clipping") -> MetricKind {
    MetricKind(name, meaning, mustBeFinite: true)
  }

  /// Unit and meaning for a table: `px, mean error of all known pixels`.
  public var description: String { [unit, meaning].filter { !$0.isEmpty }.joined(separator: ", ") }

  /// Whether a value is better than another.
  public func isBetter(_ value: Double, than other: Double) -> Bool {
    switch better {
    case .lower: value < other
    case .higher: value > other
    case nil: false
    }
  }
}

extension [MetricKind] {
  public subscript(name: String) -> MetricKind? { first { $0.name == name } }
}
