import Base

/// The parts of a run, one after the other. Steps are counted through the whole run.
///
/// The loop evaluates, logs and saves at the end of each part, keeps that checkpoint, and looks for the best score anew in each.
public struct Stages: Sendable, Equatable {
  public struct Stage: Sendable, Equatable {
    public let name: String
    /// Updates in this part.
    public let steps: Int

    public init(name: String, steps: Int) { (self.name, self.steps) = (name, steps) }
  }

  public let all: [Stage]
  /// The number of updates before each part.
  private let starts: [Int]

  /// - Precondition: there is at least one part, and each has at least one step.
  public init(_ all: [Stage]) {
    guard !all.isEmpty, all.allSatisfy({ $0.steps > 0 }) else { stop("Stages: \(all), expected at least one, of at least one step each") }
    self.all = all
    starts = all.indices.map { index in all[..<index].reduce(0) { $0 + $1.steps } }
  }

  /// The part that an update belongs to; those after the end belong to the last.
  /// - Parameter step: updates done before it: 0 for the first.
  public func index(ofUpdate step: Int) -> Int { starts.lastIndex { $0 <= step } ?? 0 }

  /// The number of updates before a part.
  public func start(of index: Int) -> Int { starts[index] }

  /// The numbers of updates after which a part is complete, in order.
  public var ends: [Int] { zip(starts, all).map { $0 + $1.steps } }

  /// The name of the part that the last of `step` updates belongs to; before the first update, that of the first.
  func name(after step: Int) -> String { all[index(ofUpdate: max(step - 1, 0))].name }

  /// A line for the user: the part that begins, or continues, after `step` updates.
  func announcement(at step: Int) -> String {
    let index = index(ofUpdate: step)
    let first = starts[index]
    return "stage '\(all[index].name)' (\(index + 1) of \(all.count)): steps \(first + 1) to \(first + all[index].steps)"
  }
}
