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
  /// Whether the spec names no metrics, so that there are all that have a direction.
  let choosesAllMetrics: Bool
  /// The path of the base config.
  let base: String

  /// One config of the experiment.
  struct Variant: Sendable {
    let spec: SpecVariant
    let taskName: TaskName
    /// The base config with the overrides and the budget, but for the seed.
    let request: ConfigRequest
    /// What all variants lay over the base config.
    let common: [ConfigOverride]

    var name: String { spec.name }
    var task: any ConfiguredTask.Type { taskName.task }
    /// The variant's own overrides as arguments of `--set`.
    var settings: [String] { spec.overrides.map(\.setting) }
    /// All overrides of the spec as arguments of `--set`.
    var allSettings: [String] { common.map(\.setting) + settings }
  }

  /// Reads a spec and holds every variant against the schema of its config.
  /// - Throws: `.usage` listing every problem with its place, `.missingInput` if the spec is not there.
  public init(spec path: String) throws {
    var reading = try SpecReading(path)
    let spec = reading.spec
    let folder = Path.folder(path)
    let base = spec.base.hasPrefix("/") || folder.isEmpty ? spec.base : Path.normalized(Path.join(folder, spec.base))
    (specPath, self.base, question, seeds) = (path, base, spec.question, reading.seeds)
    let place = Path.name(Path.folder(Path.real(path)))
    name = Path.stem(path) == "spec" && !place.isEmpty ? place : Path.stem(path)
    budget = try Self.budget(&reading, base)
    var checks = VariantChecks(
      budget: Self.overrides(of: budget, at: reading.tree.node(at: ["budget"])?.origin), common: reading.common)
    if !spec.base.isEmpty {
      if try File.kind(at: base) == .file {
        for variant in reading.variants { checks.add(variant, base: base) }
      } else {
        reading.note(["base"], "'base': there is no file \(base); the path is taken from the folder of the spec")
      }
    }
    variants = checks.variants
    baseline = spec.baseline.isEmpty ? reading.variants.first?.name ?? "" : spec.baseline
    let task = (variants.first { $0.name == spec.baseline } ?? variants.first)?.task
    let lists = task?.metricLists ?? (evaluated: [], sampled: [])
    let known = lists.evaluated + lists.sampled
    choosesAllMetrics = spec.metrics.isEmpty
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

  /// The budget of each job: none for a task that has nothing to learn, and then no seeds either.
  private static func budget(_ reading: inout SpecReading, _ base: String) throws -> ExperimentResult.Budget {
    let (steps, minutes) = (reading.spec.budget.steps, reading.spec.budget.minutes)
    let name = try File.kind(at: base) == .file ? try? TaskName.named(in: base, overrides: reading.common) : nil
    if let name, name.task is any AssembledTask.Type {
      let reason = "the task '\(name.configName)' is not trained"
      if steps > 0 || minutes > 0 { reading.note(["budget"], "'budget': \(reason); leave it out") }
      if reading.seeds != [1] { reading.note(["seeds"], "'seeds': \(reason), and each seed would give the same; leave them out") }
      return .init()
    }
    if steps == 0, minutes == 0 { reading.note(["budget"], "'budget.steps' is 0; allowed: 1 or more, or minutes instead") }
    return steps > 0 ? .init(steps: steps) : .init(minutes: minutes)
  }

  /// What a budget sets in each config.
  private static func overrides(of budget: ExperimentResult.Budget, at origin: ConfigOrigin?) -> [ConfigOverride] {
    guard !budget.isEmpty else { return [] }
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

extension ConfigOverride {
  /// An argument of `--set`.
  fileprivate var setting: String { "\(key)=\(value)" }
}

/// One variant with one seed.
struct Job: Sendable {
  let variant: Experiment.Variant
  let seed: Int

  var title: String { "\(variant.name), seed \(seed)" }
  /// The run folder below the folder of the experiment.
  var path: String { "\(variant.name)/seed-\(seed)" }

  /// The checksum of what a training depends on in a resolved config: all of it but for the sections `inference`, which say how weights are
  /// used. Jobs that agree in it, and in their data, have the same weights.
  static func trainingChecksum(of resolved: String) throws -> String {
    let texts = try ConfigFile.tree(of: resolved, named: "config").texts().filter { ConfigNode.section(of: $0.key) != "inference" }
    return JobRecord.checksum(of: texts.map { "\($0.key): \($0.text)\n" }.joined())
  }

  /// The resolved config with the seed, as the run's `config.yaml` has it but for threads and hours.
  func resolvedConfig() throws -> String {
    var request = variant.request
    if variant.task is any LearningTask.Type {
      request.overrides.append(ConfigOverride(key: "plan.seed", value: "\(seed)", option: "seed \(seed)"))
    }
    return try variant.task.resolvedConfig(request)
  }
}

/// Holds variants against the schema of their config, and against each other.
private struct VariantChecks {
  private(set) var variants: [Experiment.Variant] = []
  /// What is wrong, each once, though several variants may share it.
  private(set) var lines: [String] = []
  let budget: [ConfigOverride]
  let common: [ConfigOverride]
  private var owners: [String: String] = [:]

  init(budget: [ConfigOverride], common: [ConfigOverride]) { (self.budget, self.common) = (budget, common) }

  mutating func add(_ variant: SpecVariant, base: String) {
    let threads = ConfigOverride(key: "plan.threads", value: "0", option: "threads")
    let request = ConfigRequest(base, overrides: common + variant.overrides + budget + [threads])
    do {
      let name = try TaskName.named(in: base, overrides: request.overrides)
      let resolved = try name.task.resolvedConfig(request)
      if let owner = owners[resolved] {
        note("\(variant.origin): the variant '\(variant.name)' resolves to the same config as '\(owner)': it would only be run twice")
      }
      owners[resolved] = owners[resolved] ?? variant.name
      variants.append(Experiment.Variant(spec: variant, taskName: name, request: request, common: common))
    } catch let failure as Failure {
      let head = failure.place.isEmpty ? "" : "\(failure.place): "
      for line in (head + failure.problem).split(separator: "\n") { note(String(line)) }
    } catch {
      note("\(variant.origin): \(error)")
    }
  }

  private mutating func note(_ line: String) { if !lines.contains(line) { lines.append(line) } }
}
