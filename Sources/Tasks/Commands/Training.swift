import Base
import Drawing
import Tensors
import Training

/// The arguments of `apus train`.
public struct TrainingRequest: Sendable {
  public var config: ConfigRequest
  /// The run folder itself; nil: a new one below `work_dirs`.
  public var workDirectory: String?
  public var resume = RunRequest.Resume.never
  /// Weights to start from; nil: random ones.
  public var weights: WeightSource?
  /// Steps to profile, instead of a run; nil: none.
  public var profile: Int?

  public init(config: ConfigRequest) { self.config = config }
}

/// The way a call of `apus train` ended.
public enum TrainingEnd: Sendable {
  case run(RunOutcome)
  /// The table of a profile.
  case profile(String)
}

extension LearningTask {
  /// Trains, or continues a run.
  /// - Throws: `.usage` if the request contradicts itself, and what opening, training and saving throw.
  public static func train(_ request: TrainingRequest, console: Console) throws -> TrainingEnd {
    var config = request.config
    if let weights = request.weights { config.overrides += weights.overrides }
    let loaded = try load(config)
    if let weights = request.weights, case .from(let source) = request.resume {
      throw Failure(.usage, at: "--load-from \(weights.path)", "a run that continues has weights already, those of \(source)",
                    remedy: "Give --resume to continue, or --load-from to start anew from these weights.")
    }
    if let count = request.profile { try requireProfile(of: count, in: loaded.value.plan) }
    for stage in loaded.stages {
      try MemoryGuard(Self.self, stage.config, model(stage.config), .training).require(inputShape(stage.config))
    }
    var recipe = try StagedRecipe<TaskTraining>(loaded.stages)
    var run = RunRequest(configPath: request.config.path, resolvedYAML: loaded.resolvedYAML)
    run.overrides = config.overrides
    run.workDirectory = request.workDirectory
    if let folder = request.workDirectory { try DataPlaces(of: loaded.resolvedYAML).requireApart(folder, option: "--work-dir") }
    run.resume = request.resume
    let facts = EnvironmentInfo.gathered(isa: MatmulPrecision.description, threads: ThreadPool.shared.threadCount)
    let opened = try RunFolder.open(run, environment: facts) { try recipe.readInitialWeights() }
    var trainer = try Trainer(recipe, plan: loaded.value.plan, opened: opened, console: console)
    if let count = request.profile { return .profile(try trainer.profile(steps: count).table) }
    if let problem = Typeface.problem { console.warning(problem) }
    let outcome = try trainer.run()
    let score = recipe.evaluationMetrics.filter { $0.better != nil }.prefix(1)
    try TrainingCurves.draw(runFolder: opened.folder.path, metrics: score + recipe.trainMetrics + recipe.evaluationMetrics)
    return .run(outcome)
  }

  /// Before a folder is made for nothing.
  private static func requireProfile(of count: Int, in plan: Plan) throws {
    guard count >= 1, count <= plan.steps - 3 else {
      throw Failure(.usage, at: "--profile", "\(count) steps and 3 to warm up, but the plan has \(plan.steps) left",
                    remedy: "Choose 1 or more, and more with --steps.")
    }
  }
}

extension WeightSource {
  /// These weights as those that a run begins with, so that its config says where it started.
  fileprivate var overrides: [ConfigOverride] {
    [("from", Optional(path), "--load-from"), ("key", key, "--key"), ("prefix", prefix, "--prefix")].compactMap { name, value, option in
      value.map { ConfigOverride(key: "initialize.\(name)", text: $0, option: "\(option) \($0)") }
    }
  }
}
