import Base
import Networks

/// The learning rates of a whole run as its config gives them: of all stages, all optimisers and all groups with a rate of their own.
/// Nothing is trained.
///
/// ```swift
/// let curves = try RateCurves(SomeTraining.self, stages, plan: config.plan) { _ in 120 }
/// curves.all[0].rate(at: 0)
/// ```
public struct RateCurves: Sendable {
  /// One learning rate over the steps of the run.
  public struct Curve: Sendable {
    /// As in the log: `lr`, `lr_<group>`.
    public let name: String
    /// Rates of chosen steps in order: every one that begins or ends a change, and others evenly between. NaN where a stage lacks it.
    public let points: [(step: Int, rate: Double)]
    /// The largest rate and the first step that has it.
    public let peak: (step: Int, rate: Double)

    public var first: Double { points.first { $0.rate.isFinite }?.rate ?? .nan }
    public var last: Double { points.last { $0.rate.isFinite }?.rate ?? .nan }

    /// The rate of a step among the points; nil if there is none.
    public func rate(at step: Int) -> Double? { points.first { $0.step == step }.flatMap { $0.rate.isFinite ? $0.rate : nil } }
  }

  /// A step at which something begins.
  public struct Event: Sendable, Equatable {
    public let step: Int
    /// In words, such as `a drop` or `stage 'sintel'`.
    public let meaning: String
    /// Whether it begins a stage.
    public let isStage: Bool
  }

  /// `lr` first.
  public let all: [Curve]
  /// In order; none at step 0.
  public let events: [Event]
  /// Updates in the run.
  public let steps: Int

  /// Chosen steps of a stage that lie evenly, at most.
  private static let evenPoints = 500
  /// Steps that are looked at for the peak, at most.
  private static let mostSearched = 1_000_000

  /// - Parameters:
  ///   - stages: of the config.
  ///   - plan: says how long the run is.
  ///   - stepsPerEpoch: of a stage; asked where lengths or milestones are given in epochs only.
  /// - Throws: `.usage` for a pattern that fits no parameter, and what `stepsPerEpoch` throws.
  public init<Training: StageTraining>(
    _ training: Training.Type, _ stages: [Stage<Training.Config>], plan: Plan, stepsPerEpoch: (Stage<Training.Config>) throws -> Int
  ) throws {
    var pieces: [Piece] = []
    for stage in stages {
      let model = try Training.model(stage.config)
      let learners = Training.learners(stage.config, model)
      for learner in learners { try learner.optimizer.freeze(in: learner.module, key: stage.section + learner.key) }
      let needsEpochs = stage.epochs > 0 || learners.contains { !$0.schedule.milestoneEpochs.isEmpty }
      let perEpoch = needsEpochs ? try stepsPerEpoch(stage) : 1
      let start = pieces.last.map { $0.start + $0.steps } ?? 0
      let count = stage.epochs > 0 ? stage.epochs * perEpoch : stage.steps
      pieces.append(Piece(name: stage.name, start: start, steps: count, rates: learners.flatMap { $0.rates(of: count, perEpoch) }))
    }
    let total = pieces.last.map { $0.start + $0.steps } ?? 0
    self.init(pieces, steps: plan.resolved(total: total).steps)
  }

  /// A stage's part.
  private struct Piece {
    let name: String
    let start: Int
    let steps: Int
    let rates: [StageRate]

    /// The chosen steps of the stage, counted from its start.
    var chosen: [Int] {
      let stride = max(1, steps / RateCurves.evenPoints)
      let turns = rates.flatMap { $0.changes.flatMap { [$0.step - 1, $0.step] } }
      return Set(Array(Swift.stride(from: 0, to: steps, by: stride)) + turns + [steps - 1]).sorted()
    }
  }

  private init(_ pieces: [Piece], steps: Int) {
    self.steps = steps
    let names = pieces.flatMap { $0.rates.map(\.name) }.uniqued()
    all = names.map { name in
      var points: [(step: Int, rate: Double)] = []
      var peak = (step: 0, rate: -Double.infinity)
      for piece in pieces where piece.start < steps {
        guard let rate = piece.rates.first(where: { $0.name == name }) else {
          points.append((piece.start, .nan))
          continue
        }
        let end = min(piece.steps, steps - piece.start)
        points += (piece.chosen.filter { $0 < end - 1 } + [end - 1]).map { (piece.start + $0, rate(at: $0)) }
        for step in stride(from: 0, to: end, by: max(1, end / Self.mostSearched)) where rate(at: step) > peak.rate {
          peak = (piece.start + step, rate(at: step))
        }
      }
      for point in points where point.rate > peak.rate { peak = point }
      return Curve(name: name, points: points, peak: peak)
    }
    var events: [Event] = []
    for (index, piece) in pieces.enumerated() {
      if index > 0 { events.append(Event(step: piece.start, meaning: "stage '\(piece.name)'", isStage: true)) }
      let changes = piece.rates.flatMap(\.changes).sorted { $0.step < $1.step }
      for change in changes {
        let event = Event(step: piece.start + change.step, meaning: change.kind.rawValue, isStage: false)
        if !events.contains(event) { events.append(event) }
      }
    }
    self.events = events.filter { $0.step < steps }
  }
}

/// One learning rate of a stage.
private struct StageRate {
  let name: String
  /// Of a group; times the peak.
  let peak: Double
  let schedule: Schedule
  let steps: Int

  func callAsFunction(at step: Int) -> Double { schedule.learningRate(at: step, of: steps, peak: peak) }

  var changes: [Schedule.Change] { schedule.changes(of: steps) }
}

extension LearnerPlan {
  fileprivate func rates(of steps: Int, _ stepsPerEpoch: Int) -> [StageRate] {
    let schedule = schedule.resolved(stepsPerEpoch: stepsPerEpoch)
    return LearnerPlan.rates(name, optimizer).map { name, factor in
      StageRate(name: name, peak: factor * optimizer.learningRate, schedule: schedule, steps: steps)
    }
  }
}
