import Base
import Tasks
import Training

/// An experiment: a spec whose every variant was held against its config.
public struct Experiment: Sendable {
  /// The folder of the spec, or the spec's own name if it is not called `spec`.
  public let name: String
  public let question: String
  /// The path of the spec, as the user named it.
  public let specPath: String
  public let baseline: String
  public let budget: ExperimentResult.Budget
  public let seeds: [Int]
  /// In the order of the spec, the grid last.
  let variants: [Variant]
  let metrics: [MetricKind]
  /// The path of the base config.
  let base: String

  /// One config of the experiment.
  struct Variant: Sendable {
    let spec: SpecVariant
    let taskName: TaskName
    /// The base config with the overrides and the budget, but for the seed.
    let request: ConfigRequest

    var name: String { spec.name }
    var task: any ConfiguredTask.Type { taskName.task }
    /// The overrides as arguments of `--set`.
    var settings: [String] { spec.overrides.map { "\($0.key)=\($0.value)" } }
  }

  /// Reads a spec and holds every variant against the schema of its config.
  /// - Throws: `.usage` listing every problem with its place, `.missingInput` if the spec is not there.
  public init(spec path: String) throws {
    var reading = try SpecReading(path)
    let spec = reading.spec
    let folder = Path.folder(path)
    let base = spec.base.hasPrefix("/") || folder.isEmpty ? spec.base : Path.normalized(Path.join(folder, spec.base))
    (specPath, self.base, question, seeds) = (path, base, spec.question, reading.seeds)
    let real = Path.folder(path).isEmpty ? "." : Path.folder(path)
    name = Path.stem(path) == "spec" && real != "." ? Path.name(real) : Path.stem(path)
    budget = spec.budget.steps > 0 ? .init(steps: spec.budget.steps) : .init(minutes: spec.budget.minutes)
    var checks = VariantChecks(budget: Self.overrides(of: budget, at: reading.tree.node(at: ["budget"])?.origin))
    if !spec.base.isEmpty {
      if try File.kind(at: base) == .file {
        for variant in reading.variants { checks.add(variant, base: base) }
      } else {
        reading.note(["base"], "'base': there is no file \(base)")
      }
    }
    variants = checks.variants
    baseline = spec.baseline.isEmpty ? reading.variants.first?.name ?? "" : spec.baseline
    let task = (variants.first { $0.name == spec.baseline } ?? variants.first)?.task
    let lists = task?.metricLists ?? (evaluated: [], sampled: [])
    let known = lists.evaluated + lists.sampled
    metrics = spec.metrics.isEmpty ? lists.evaluated.filter { $0.better != nil } : spec.metrics.compactMap { known[$0] }
    for (index, name) in spec.metrics.enumerated() where !known.isEmpty {
      if known[name] == nil {
        let near = name.nearest(among: known.map(\.name)).map { " Did you mean '\($0)'?" } ?? ""
        reading.note(["metrics", "\(index)"], "there is no metric '\(name)'. Known: \(known.map(\.name).joined(separator: ", ")).\(near)")
      } else if spec.metrics[..<index].contains(name) {
        reading.note(["metrics", "\(index)"], "the metric '\(name)' stands there twice")
      }
    }
    guard reading.problems.isEmpty, checks.lines.isEmpty else { throw Self.failure(reading.problems, checks.lines) }
  }

  /// All problems of a spec in one failure: its own first, then those of its variants' configs.
  private static func failure(_ problems: [PlacedProblem], _ lines: [String]) -> Failure {
    let items = problems.map(\.description) + lines.filter { line in !problems.contains { $0.description == line } }
    return Failure(.usage, at: "", "", items: items, remedy: items.count == 1 ? "" : "\(items.count) problems")
  }

  /// What a budget sets in each config.
  private static func overrides(of budget: ExperimentResult.Budget, at origin: ConfigOrigin?) -> [ConfigOverride] {
    let place = origin?.description ?? "budget"
    guard let steps = budget.steps else {
      return [ConfigOverride(key: "plan.max_hours", value: "\((budget.minutes ?? 0) / 60)", option: place)]
    }
    return [
      ConfigOverride(key: "plan.steps", value: "\(steps)", option: place), ConfigOverride(key: "plan.epochs", value: "0", option: place),
    ]
  }

  /// The jobs in the order in which they run: every variant with the first seed, then with the next one.
  var jobs: [Job] {
    seeds.flatMap { seed in variants.map { Job(variant: $0, seed: seed) } }
  }
}

/// One variant with one seed.
struct Job: Sendable {
  let variant: Experiment.Variant
  let seed: Int

  var title: String { "\(variant.name), seed \(seed)" }
  /// The run folder below the folder of the experiment.
  var path: String { "\(variant.name)/seed-\(seed)" }

  /// The resolved config with the seed, as the run's `config.yaml` has it but for threads and hours.
  func resolvedConfig() throws -> String {
    var request = variant.request
    request.overrides.append(ConfigOverride(key: "plan.seed", value: "\(seed)", option: "seed \(seed)"))
    return try variant.task.resolvedConfig(request)
  }
}

/// Holds variants against the schema of their config, and against each other.
private struct VariantChecks {
  private(set) var variants: [Experiment.Variant] = []
  /// What is wrong, each once, though several variants may share it.
  private(set) var lines: [String] = []
  let budget: [ConfigOverride]
  private var owners: [String: String] = [:]

  init(budget: [ConfigOverride]) { self.budget = budget }

  mutating func add(_ variant: SpecVariant, base: String) {
    let threads = ConfigOverride(key: "plan.threads", value: "0", option: "threads")
    let request = ConfigRequest(base, overrides: variant.overrides + budget + [threads])
    do {
      let name = try TaskName.named(in: base, overrides: request.overrides)
      let resolved = try name.task.resolvedConfig(request)
      if let owner = owners[resolved] {
        note("\(variant.origin): the variant '\(variant.name)' resolves to the same config as '\(owner)': it would only be run twice")
      }
      owners[resolved] = owners[resolved] ?? variant.name
      variants.append(Experiment.Variant(spec: variant, taskName: name, request: request))
    } catch let failure as Failure {
      let head = failure.place.isEmpty ? "" : "\(failure.place): "
      for line in (head + failure.problem).split(separator: "\n") { note(String(line)) }
    } catch {
      note("\(variant.origin): \(error)")
    }
  }

  private mutating func note(_ line: String) { if !lines.contains(line) { lines.append(line) } }
}
