/// What went wrong in the outside world (a file, a config, a full disk), told once and clearly.
///
/// Programming errors trap with `require`; worldly errors throw this. The command line prints `description` and exits with
/// `kind.exitCode`.
public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
  /// The family of the failure; each has one exit code, after BSD's `sysexits.h`.
  public enum Kind: Int32, Sendable, CaseIterable {
    /// A wrong command line or config (EX_USAGE).
    case usage = 64
    /// A file that exists but holds something else than it should (EX_DATAERR).
    case badData = 65
    /// A file or folder that is not there (EX_NOINPUT).
    case missingInput = 66
    /// The training diverged, or an invariant of ours broke (EX_SOFTWARE).
    case diverged = 70
    /// An output file that cannot be created (EX_CANTCREAT).
    case cannotCreate = 73
    /// Reading or writing failed half-way, for instance on a full disk (EX_IOERR).
    case inputOutput = 74

    public var exitCode: Int32 { rawValue }
  }

  public let kind: Kind
  /// Where: a path, `path:line:column`, or a config key; empty if there is no place.
  public let place: String
  /// What was found and what was expected there.
  public let problem: String
  /// What the user can do about it.
  public let remedy: String

  public init(_ kind: Kind, at place: String, _ problem: String, remedy: String = "") {
    self.kind = kind
    self.place = place
    self.problem = problem
    self.remedy = remedy
  }

  public var description: String {
    (place.isEmpty ? "" : "\(place): ") + problem + (remedy.isEmpty ? "" : "\n  \(remedy)")
  }
}
