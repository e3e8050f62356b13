import Base
import Networks
import WeightFiles

/// The recipe of a task: goes through the stages of a run, hands weights on from one to the next, and keeps what checkpoints hold.
public struct StagedRecipe<Training: StageTraining>: Recipe {
  public typealias Config = Training.Config

  /// With their places in the run; one without a name for a run in one piece.
  public let schedule: [Stage<Config>]
  public let rateNames: [String]
  private let sets: [Training.Sets]
  /// The stage at work.
  public private(set) var training: Training?
  private var index = -1
  /// The first stage's model, until it is begun.
  private var first: Training.Model?
  /// What the user shall know about the weights to begin with; nil as long as they are not read.
  private var initialNotes: [String]?
  /// The rates in place of those of the config's schedules; nil: the schedules count.
  private let range: RateRange?

  /// Opens the data of every stage, and finds what is wrong with any of them: nothing is trained, no weights are read, and no optimiser
  /// is made.
  /// - Parameter range: the rates of the first optimiser in place of those of the config's schedules; the others are changed by the same
  ///   factors. nil: the schedules count.
  /// - Throws: `.usage`, `.missingInput` and `.badData` with the keys of the config.
  public init(_ stages: [Stage<Config>], range: RateRange? = nil) throws {
    self.range = range
    sets = try stages.map(Training.open)
    schedule = StagedRecipe.placed(stages, sets)
    var names: [[String]] = []
    for stage in schedule.reversed() {
      let model = try Training.model(stage.config)
      try StagedRecipe.freeze(model, stage)
      names.insert(Training.learners(stage.config, model).flatMap(\.rateNames), at: 0)
      first = model
    }
    rateNames = names.flatMap { $0 }.uniqued()
  }

  /// Reads the weights that the stages begin with, and finds whether they fit. For a run that begins: one that continues needs those of
  /// later stages only, and reads them when it enters its own.
  /// - Throws: the failures of reading, `.badData` if a file does not fit, `.usage` for keys that lead nowhere.
  public mutating func readInitialWeights() throws {
    initialNotes = []
    for stage in schedule.reversed() {
      guard let (model, notes) = try StagedRecipe.initialized(stage), stage.index == 0 else { continue }
      (first, initialNotes) = (model, notes)
    }
  }

  /// The stages with steps instead of epochs, one behind the other.
  private static func placed(_ stages: [Stage<Config>], _ sets: [Training.Sets]) -> [Stage<Config>] {
    var start = 0
    return zip(stages, sets).map { stage, sets in
      var stage = stage
      if stage.epochs > 0 { stage.steps = stage.epochs * Training.stepsPerEpoch(sets, stage.config) }
      stage.start = start
      start += stage.steps
      return stage
    }
  }

  /// The model of a stage with the weights that its config names, and frozen as it says; nil if it names none.
  private static func initialized(_ stage: Stage<Config>) throws -> (model: Training.Model, notes: [String])? {
    guard !stage.config.initialize.from.isEmpty else { return nil }
    let model = try Training.model(stage.config)
    let notes = try initialize(model, stage)
    try freeze(model, stage)
    return (model, notes)
  }

  private static func freeze(_ model: Training.Model, _ stage: Stage<Config>) throws {
    for plan in Training.learners(stage.config, model) { try plan.optimizer.freeze(in: plan.module, key: stage.section + plan.key) }
  }

  private static func initialize(_ model: Training.Model, _ stage: Stage<Config>) throws -> [String] {
    let initialization = stage.config.initialize
    guard !initialization.from.isEmpty else { return [] }
    var notes: [String] = []
    let (key, prefix) = (initialization.key, initialization.prefix)
    let source = WeightSource(initialization.from, key: key.isEmpty ? nil : key, prefix: prefix.isEmpty ? nil : prefix)
    let (file, state) = try source.read { notes.append($0) }
    if initialization.takesAll { try Training.requireFit(state, model, from: file) }
    let plain = try Training.canonical(state, from: file)
    return try notes + initialization.apply(plain, to: model, from: file, section: stage.section + "initialize")
  }

  // MARK: The loop's side

  public var stages: Stages? {
    schedule[0].name.isEmpty ? nil : Stages(schedule.map { .init(name: $0.name, steps: $0.steps) })
  }

  public var steps: Int? { schedule.reduce(0) { $0 + $1.steps } }

  public var trainMetrics: [MetricKind] { Training.trainMetrics }
  public var evaluationMetrics: [MetricKind] { Training.evaluationMetrics }

  public mutating func enter(stage index: Int, isResuming: Bool) throws -> [String] {
    let stage = schedule[index]
    let before = training
    if isResuming {
      for later in schedule[(index + 1)...] { _ = try StagedRecipe.initialized(later) }
    } else if index == 0, initialNotes == nil {
      try readInitialWeights()
    }
    var (model, notes): (Training.Model, [String])
    if index == 0, let first {
      (model, notes) = (first, initialNotes ?? [])
    } else {
      model = try Training.model(stage.config)
      notes = isResuming ? [] : try handOver(from: before, to: model, stage)
    }
    first = nil
    training = nil  // its optimisers are no longer needed
    let stepsPerEpoch = Training.stepsPerEpoch(sets[index], stage.config)
    let plans = Training.learners(stage.config, model)
    let factor = range.flatMap { range in
      plans.first.map { main in { (step: Int) in range.rate(at: step) / main.optimizer.learningRate } }
    }
    let learners = try plans.map {
      try Learner($0, steps: stage.steps, stepsPerEpoch: stepsPerEpoch, section: stage.section, factor: factor)
    }
    training = try Training(stage, sets[index], model, learners)
    self.index = index
    return isResuming ? [] : notes
  }

  /// The weights of the stage before, and then those that the config names for this one.
  private func handOver(from before: Training?, to model: Training.Model, _ stage: Stage<Config>) throws -> [String] {
    var notes: [String] = []
    if let before {
      var carrying = Initialization(from: "the stage before")
      carrying.strict = false
      let lines = try carrying.apply(before.model.stateDictionary(), to: model, from: "the stage before", section: "stage '\(stage.name)'")
      if lines.count > 1 { notes += lines }
    }
    return notes + (try StagedRecipe.initialize(model, stage))
  }

  public mutating func step(at step: Int) throws -> StepReport {
    let start = schedule[index].start
    guard let report = try training?.step(at: step - start) else { stop("StagedRecipe: no stage was entered") }
    return report
  }

  public mutating func evaluate(at step: Int, _ monitor: EvaluationMonitor) throws -> EvaluationReport? {
    try training?.evaluate(at: step, monitor)
  }

  public var parts: [(name: String, part: any Savable)] { training?.parts ?? [] }
}
