/// An error of the outside world (a file, a config, a full disk), told once and clearly.
///
/// Programming errors trap with `require`; worldly errors throw this. The command line prints `description` and exits with
/// `kind.exitCode`.
public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
  /// The family of the failure; each has one exit code, after BSD's `sysexits.h`.
  public enum Kind: Sendable, CaseIterable {
    /// A wrong command line or config (EX_USAGE).
    case usage
    /// A file that exists but holds something else than it should (EX_DATAERR).
    case badData
    /// A file or folder that is not there (EX_NOINPUT).
    case missingInput
    /// The training diverged, or an invariant of ours broke (EX_SOFTWARE).
    case diverged
    /// A computation needs more memory than there is (EX_SOFTWARE).
    case outOfMemory
    /// An output file that cannot be created (EX_CANTCREAT).
    case cannotCreate
    /// Reading or writing failed half-way, for instance on a full disk (EX_IOERR).
    case inputOutput

    public var exitCode: Int32 {
      switch self {
      case .usage: 64
      case .badData: 65
      case .missingInput: 66
      case .diverged, .outOfMemory: 70
      case .cannotCreate: 73
      case .inputOutput: 74
      }
    }
  }

  public let kind: Kind
  /// The origin: a path, `path:line:column`, or a config key; empty if there is none.
  public let place: String
  /// The finding and the expectation: one line, and one more for each item.
  public private(set) var problem: String
  /// The remedy: a step that the user can take; empty if there is none to name.
  public let remedy: String

  /// - Parameters:
  ///   - problem: one line. Texts of files may stand in it as they are: what a terminal would obey is escaped, what is too long is
  ///     shortened.
  ///   - items: further lines, such as the problems of a config one by one; of very many the first ones are shown.
  ///   - remedy: may have several lines.
  public init(_ kind: Kind, at place: String, _ problem: String, items: [String] = [], remedy: String = "") {
    self.kind = kind
    self.place = place.printable(limit: 500)
    self.problem = Failure.lines(problem, items)
    self.remedy = remedy.split(separator: "\n", omittingEmptySubsequences: false).map { $0.printable() }.joined(separator: "\n")
  }

  /// The same failure, told as another kind, or with another place or remedy.
  public func told(kind: Kind? = nil, at place: String? = nil, remedy: String? = nil) -> Failure {
    var failure = Failure(kind ?? self.kind, at: place ?? self.place, "", remedy: remedy ?? self.remedy)
    failure.problem = problem  // it is printable already, and may have several lines
    return failure
  }

  public var description: String {
    (place.isEmpty ? "" : "\(place): ") + problem + (remedy.isEmpty ? "" : "\n  \(remedy)")
  }

  /// Bytes of all items together, about four screens.
  private static let itemLimit = 8000

  private static func lines(_ problem: String, _ items: [String]) -> String {
    var lines = problem.isEmpty ? [] : [problem.printable()]
    var size = 0
    for (index, item) in items.enumerated() {
      let line = item.printable()
      size += line.utf8.count
      guard size <= itemLimit || index == 0 else {
        lines.append("... and \(items.count - index) more")
        break
      }
      lines.append(line)
    }
    return lines.joined(separator: "\n")
  }
}
