import Base
import Tensors
import WeightFiles

/// The weights that a run, or a stage of it, begins with: those of a file, as far as they shall be taken over.
///
/// ```yaml
/// initialize:
///   from: resnet50.pth
///   rename: [{from: "", to: backbone.}]
///   exclude: [class_embed.*]
/// ```
public struct Initialization: Codable, Sendable, Equatable, ValidatedConfig {
  /// Names in the file that begin with `from` begin with `to` instead; the first entry that fits counts.
  public struct Renaming: ConfigElement, Equatable {
    public var from = ""
    public var to = ""

    public init() {}

    public init(from: String, to: String) {
      self.from = from
      self.to = to
    }
  }

  /// A weight file, a checkpoint or a run folder; empty: the weights of the stage before, or random ones.
  public var from = ""
  /// The dictionary of a `.pth` file that holds the weights; empty: found by itself.
  public var key = ""
  /// A prefix that the names in the file lose; empty: `module.`, where they have it.
  public var prefix = ""
  /// Patterns for the network's arrays that are taken from the file; none: all.
  public var include: [String] = []
  /// Patterns for those of them that are not.
  public var exclude: [String] = []
  public var rename: [Renaming] = []
  /// Whether the file must hold every array that is chosen, in the right shape, and no other than those of the network. Otherwise what fits
  /// is taken, at least one array.
  public var strict = true

  public init(from: String = "") { self.from = from }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    let isIdle = include.isEmpty && exclude.isEmpty && rename.isEmpty && key.isEmpty && prefix.isEmpty
    problems.require(!from.isEmpty || isIdle, "from", "''", "a weight file, with the other keys of this section")
    return problems
  }

  /// Whether the file must be exactly the network's.
  public var takesAll: Bool { strict && include.isEmpty && exclude.isEmpty && rename.isEmpty }

  private func chooses(_ name: String) -> Bool {
    (include.isEmpty || include.contains { NamePattern($0).matches(name) }) && !exclude.contains { NamePattern($0).matches(name) }
  }

  /// Takes over the arrays of a file; all that are chosen or, if they do not fit, none.
  /// - Parameters:
  ///   - state: the file's arrays, under the network's names but for `rename`.
  ///   - origin: the file, for errors.
  /// - Returns: lines for the user: what was taken, what keeps its value, and what of the file was left; five names a group at most.
  /// - Throws: `.badData` if the arrays do not fit, or hold NaN; `.usage` if a pattern fits no array of the network.
  public func apply(
    _ state: StateDictionary, to module: any Module, from origin: String, section: String = "initialize"
  ) throws -> [String] {
    let renamed = rename.isEmpty ? state : try state.renamed(rename.map { ($0.from, $0.to) }, from: origin)
    let own = module.stateDictionary().names
    for (list, patterns) in [("include", include), ("exclude", exclude)] {
      for pattern in patterns where !own.contains(where: NamePattern(pattern).matches) {
        throw Failure(.usage, at: "\(section).\(list)", "no array of the network is named like '\(pattern)'",
                      remedy: "Names look like \(NameList.text(own, limit: 3)); '*' stands for any text.")
      }
    }
    let known = Set(own)
    let chosen = StateDictionary(renamed.unshared.entries.filter { chooses($0.name) || (strict && !known.contains($0.name)) })
    let report = try module.load(chosen, chosenBy: chooses, strict: strict, from: origin)
    if let broken = module.parameters().first(where: { chooses($0.name) && !$0.parameter.value.isFinite }) {
      throw Failure(.badData, at: origin, "the parameter '\(broken.name)' holds infinities or NaN",
                    remedy: "The training that made it diverged.")
    }
    let kept = own.filter { !report.taken.contains($0) }
    let unused = renamed.names.filter { !report.taken.contains($0) }
    return ["\(section): \(report.taken.count) of \(own.count) arrays taken from \(origin)"]
      + (kept.isEmpty ? [] : ["\(section): \(kept.count) arrays keep their values: \(NameList.text(kept))"])
      + (unused.isEmpty ? [] : ["\(section): \(unused.count) arrays of the file are not used: \(NameList.text(unused))"])
  }
}

/// Some names for a message.
public enum NameList {
  /// The first names, and how many more there are.
  public static func text(_ names: [String], limit: Int = 5) -> String {
    names.prefix(limit).joined(separator: ", ") + (names.count > limit ? ", ... (\(names.count - limit) more)" : "")
  }
}
