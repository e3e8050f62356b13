extension Schedule {
  /// A step from which the learning rate goes another way than before.
  public struct Change: Sendable, Equatable {
    public enum Kind: String, Sendable {
      case warmedUp = "the warm-up ends"
      case top = "the cycle's top"
      case drop = "a drop"
      case end = "the schedule ends"
    }

    /// Updates before the first one with the new behaviour.
    public let step: Int
    public let kind: Kind
  }

  /// More drops than anyone looks at.
  private static let mostDrops = 1000

  /// The steps of a run at which the rate turns, drops, or comes to its end, in order; of very many drops the first thousand.
  /// - Parameter runSteps: the length of the run.
  /// - Precondition: milestones are given in steps (`resolved(stepsPerEpoch:)`).
  public func changes(of runSteps: Int) -> [Change] {
    let total = (steps > 0 ? steps : runSteps) + paddingSteps
    var changes: [Change] = []
    if warmupSteps > 0 { changes.append(Change(step: warmupSteps, kind: .warmedUp)) }
    switch kind {
    case .constant: break
    case .step:
      let drops = min(runSteps / max(stepSize, 1), Self.mostDrops)
      if drops > 0 { changes += (1...drops).map { Change(step: $0 * max(stepSize, 1), kind: .drop) } }
    case .multiStep: changes += milestones.prefix(Self.mostDrops).map { Change(step: $0, kind: .drop) }
    case .cosine, .polynomial: changes.append(Change(step: total, kind: .end))
    case .oneCycle:
      let top = max(0, Int((pctStart * Double(total) - 1).rounded(.up)))
      changes += [Change(step: top, kind: .top), Change(step: total - 1, kind: .end)]
    }
    return changes.filter { $0.step > 0 && $0.step < runSteps }.sorted { $0.step < $1.step }
  }
}
