import Base
import Foundation
import Tensors

/// The learning rate as a pure function of the step.
///
/// All kinds give a factor of the peak rate; a linear warm-up, if any, multiplies it. Steps count from 0: the factor of step `t` is the one
/// in force for update `t + 1`.
/// ```swift
/// var schedule = Schedule(.oneCycle)
/// schedule.paddingSteps = 100
/// schedule.learningRate(at: 5_004, of: 100_000, peak: 4e-4)   // 4e-4, the top
/// ```
public struct Schedule: Codable, Sendable, Equatable, ValidatedConfig, SelectiveConfig {
  /// The shape of the curve. `T` is the length of the schedule, `t` the step.
  public enum Kind: String, ConfigChoice {
    /// 1.
    case constant
    /// `gamma^⌊t / stepSize⌋`.
    case step
    /// `gamma` to the number of milestones that are not after `t`.
    case multiStep = "multi_step"
    /// `f + (1 - f) (1 + cos(π t / T)) / 2`, `f = finalFactor`. - Source: Loshchilov, Hutter 2017, without restarts.
    case cosine
    /// `f + (1 - f) (1 - t / T)^power`, `f = finalFactor`.
    case polynomial
    /// Linearly from `1 / divFactor` at 0 to 1 at `pctStart · T - 1`, then linearly to `1 / (divFactor · finalDivFactor)` at `T - 1`.
    /// - Source: Smith, Topin 2018, in the linear form of PyTorch's `OneCycleLR`.
    case oneCycle = "one_cycle"
  }

  public var kind = Kind.constant
  /// `T`, the length of the schedule in steps; 0 for that of the run.
  public var steps = 0
  /// Added to `T`: some published recipes plan 100 steps more than they run.
  public var paddingSteps = 0
  /// Steps of the linear warm-up; 0 for none.
  public var warmupSteps = 0
  /// The factor at step 0 of the warm-up.
  public var warmupFactor = 0.001
  /// `step`: steps from one drop to the next.
  public var stepSize = 10_000
  /// `multiStep`: the steps of the drops.
  public var milestones: [Int] = []
  /// `multiStep`: the same in passes over the training set; where it is given, `milestones` is left empty.
  public var milestoneEpochs: [Int] = []
  /// `step`, `multiStep`: the factor of each drop.
  public var gamma = 0.1
  /// `cosine`, `polynomial`: what is left at the end, as a factor of the peak.
  public var finalFactor = 0.0
  /// `polynomial`: the exponent.
  public var power = 0.9
  /// `oneCycle`: the share of `T` in which the rate rises.
  public var pctStart = 0.05
  /// `oneCycle`: peak over first rate.
  public var divFactor = 25.0
  /// `oneCycle`: first over last rate.
  public var finalDivFactor = 10_000.0

  public init(_ kind: Kind = .constant) { self.kind = kind }

  /// The same with milestones in steps.
  /// - Parameter stepsPerEpoch: steps of a pass over the training set.
  public func resolved(stepsPerEpoch: Int) -> Schedule {
    guard !milestoneEpochs.isEmpty else { return self }
    var schedule = self
    schedule.milestones = milestoneEpochs.map { $0 * stepsPerEpoch }
    schedule.milestoneEpochs = []
    return schedule
  }

  /// The learning rate of a step.
  /// - Parameters:
  ///   - step: updates made before this one.
  ///   - runSteps: the length of the run.
  ///   - peak: the largest learning rate.
  public func learningRate(at step: Int, of runSteps: Int, peak: Double) -> Double { peak * factor(at: step, of: runSteps) }

  /// The factor of the peak learning rate. Steps after the end of the schedule have its last factor.
  public func factor(at step: Int, of runSteps: Int) -> Double {
    require(step >= 0, "Schedule: step \(step) is negative")
    let total = (steps > 0 ? steps : runSteps) + paddingSteps
    let warmup = step < warmupSteps ? warmupFactor + (1 - warmupFactor) * Double(step) / Double(warmupSteps) : 1
    return warmup * curve(step, total)
  }

  private func curve(_ t: Int, _ total: Int) -> Double {
    let progress = total > 0 ? Double(min(t, total)) / Double(total) : 1
    switch kind {
    case .constant: return 1
    case .step: return pow(gamma, Double(t / max(stepSize, 1)))
    case .multiStep: return pow(gamma, Double(milestones.count { $0 <= t }))
    case .cosine: return finalFactor + (1 - finalFactor) * (1 + cos(.pi * progress)) / 2
    case .polynomial: return finalFactor + (1 - finalFactor) * pow(1 - progress, power)
    case .oneCycle: return oneCycle(Double(min(t, max(total - 1, 0))), Double(total))
    }
  }

  private func oneCycle(_ t: Double, _ total: Double) -> Double {
    let top = pctStart * total - 1
    let end = total - 1
    let first = 1 / divFactor
    let last = first / finalDivFactor
    if t <= top { return top > 0 ? first + (1 - first) * t / top : 1 }
    return 1 + (last - 1) * (t - top) / (end - top)
  }

  public static let selector = "kind"

  public var unusedKeys: [String] {
    let all = [
      "step_size", "milestones", "milestone_epochs", "gamma", "final_factor", "power", "pct_start", "div_factor", "final_div_factor",
    ]
    let used = switch kind {
    case .constant: [String]()
    case .step: ["step_size", "gamma"]
    case .multiStep: ["milestones", "milestone_epochs", "gamma"]
    case .cosine: ["final_factor"]
    case .polynomial: ["final_factor", "power"]
    case .oneCycle: ["pct_start", "div_factor", "final_div_factor"]
    }
    return all.filter { !used.contains($0) }
  }

  public func problems() -> [ConfigProblem] {
    let share = 0.0...1
    let most = 1_000_000_000
    var problems: [ConfigProblem] = []
    problems.require((0...most).contains(steps), "steps", steps, "0 (those of the run) to \(most)")
    problems.require((0...most).contains(paddingSteps), "padding_steps", paddingSteps, "0 to \(most)")
    problems.require((0...most).contains(warmupSteps), "warmup_steps", warmupSteps, "0 (none) to \(most)")
    problems.require(share.contains(warmupFactor), "warmup_factor", warmupFactor, "0 to 1")
    problems.require((1...most).contains(stepSize), "step_size", stepSize, "1 to \(most)")
    let isAscending = milestones == milestones.sorted() && milestones.allSatisfy { (0...most).contains($0) }
    problems.require(isAscending && milestones.count <= 10_000, "milestones", milestones.prefix(9),
                     "steps in ascending order, 0 to \(most)")
    let areEpochs = milestoneEpochs == milestoneEpochs.sorted() && milestoneEpochs.allSatisfy { (0...1_000_000).contains($0) }
    problems.require(areEpochs && (milestoneEpochs.isEmpty || milestones.isEmpty) && milestoneEpochs.count <= 10_000, "milestone_epochs",
                     milestoneEpochs.prefix(9), "epochs in ascending order, and none with milestones")
    problems.require(gamma > 0 && gamma <= 1, "gamma", gamma, "above 0, at most 1")
    problems.require(share.contains(finalFactor), "final_factor", finalFactor, "0 to 1")
    problems.require(power > 0 && power <= 100, "power", power, "above 0, at most 100")
    problems.require(share.contains(pctStart), "pct_start", pctStart, "0 to 1")
    problems.require(divFactor >= 1 && divFactor <= 1e12, "div_factor", divFactor, "1 to 1e12")
    problems.require(finalDivFactor >= 1 && finalDivFactor <= 1e12, "final_div_factor", finalDivFactor, "1 to 1e12")
    return problems
  }
}
