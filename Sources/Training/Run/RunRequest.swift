import Base

/// The command line's request for a run folder: the config, and which folder to use or to continue.
public struct RunRequest: Sendable {
  public enum Resume: Sendable, Equatable {
    /// A fresh run.
    case never
    /// Continue the newest run of this config that has a sound checkpoint; without one, start afresh.
    case auto
    /// Continue from this run folder, or from this one checkpoint (`…/checkpoints/step_00012000`).
    case from(String)
  }

  /// The config file; its name without extension is the "config stem".
  public let configPath: String
  /// The whole config as text, for the run folder and every checkpoint.
  public let resolvedYAML: String
  public var overrides: [ConfigOverride] = []
  /// `--work-dir`: the run folder *itself*, without a stamped folder inside.
  public var workDirectory: String?
  public var resume = Resume.never
  /// The folder above run folders that have no `--work-dir`: `work_dirs/<config stem>/<UTC stamp>-<hash6>`.
  public var root = "work_dirs"

  public init(configPath: String, resolvedYAML: String) {
    (self.configPath, self.resolvedYAML) = (configPath, resolvedYAML)
  }

  /// `small` for `configs/classifier/small.yaml`.
  public var stem: String { Path.stem(configPath) }

  var stemFolder: String { "\(root)/\(stem)" }
}
