import Foundation
import Tensors

/// The learning rate as a pure function of the step.
///
/// All kinds give a factor of the peak rate; a linear warm-up, if any, multiplies it. Step `t` counts from 0: its rate is the one in force
/// for update `t + 1`.
/// ```swift
/// let schedule = Schedule.oneCycle(peak: 4e-4, steps: 100_100)
/// schedule.rate(at: 0)       // 1.6e-5
/// schedule.rate(at: 5_004)   // 4e-4, the top
/// ```
public struct Schedule: Codable, Sendable, Equatable {
  /// The shape of the curve. `T` is the length of the schedule, `t` the step.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// 1.
    case constant
    /// `gamma^⌊t / stepSize⌋`.
    case step
    /// `gamma` to the number of milestones that are not after `t`.
    case multiStep
    /// `f + (1 - f) (1 + cos(π t / T)) / 2`, `f = finalFactor`. - Source: Loshchilov, Hutter 2017, without restarts.
    case cosine
    /// `f + (1 - f) (1 - t / T)^power`, `f = finalFactor`.
    case polynomial
    /// Linearly from `1 / startDivisor` at 0 to 1 at `riseFraction · T - 1`, then linearly to `1 / (startDivisor · finalDivisor)` at `T - 1`.
    /// - Source: Smith, Topin 2018, in the linear form of PyTorch's `OneCycleLR`.
    case oneCycle
  }

  public var kind = Kind.constant
  /// The largest learning rate.
  public var peak = 1e-3
  /// `cosine`, `polynomial`, `oneCycle`: `T`, the length of the schedule in steps. It may be longer than the run: RAFT's recipe plans 100
  /// steps more.
  public var steps = 100_000
  /// Steps of the linear warm-up; 0 for none.
  public var warmupSteps = 0
  /// The factor at step 0 of the warm-up.
  public var warmupFactor = 0.001
  /// `step`: steps from one drop to the next.
  public var stepSize = 10_000
  /// `multiStep`: the steps of the drops.
  public var milestones: [Int] = []
  /// `step`, `multiStep`: the factor of each drop.
  public var gamma = 0.1
  /// `cosine`, `polynomial`: what is left at the end, as a factor of the peak.
  public var finalFactor = 0.0
  /// `polynomial`: the exponent.
  public var power = 0.9
  /// `oneCycle`: the share of `T` in which the rate rises.
  public var riseFraction = 0.05
  /// `oneCycle`: peak over first rate.
  public var startDivisor = 25.0
  /// `oneCycle`: first over last rate.
  public var finalDivisor = 10_000.0

  public init(_ kind: Kind = .constant, peak: Double = 1e-3) {
    self.kind = kind
    self.peak = peak
  }

  public static func constant(_ rate: Double) -> Schedule { Schedule(.constant, peak: rate) }

  /// RAFT's schedule: `oneCycle` with its defaults.
  public static func oneCycle(peak: Double, steps: Int) -> Schedule {
    var schedule = Schedule(.oneCycle, peak: peak)
    schedule.steps = steps
    return schedule
  }

  /// The learning rate of step `t`. Steps after the end of the schedule have its last rate.
  public func rate(at t: Int) -> Double {
    require(t >= 0, "Schedule: step \(t) is negative")
    let warmup = t < warmupSteps ? warmupFactor + (1 - warmupFactor) * Double(t) / Double(warmupSteps) : 1
    return peak * warmup * curve(t)
  }

  private func curve(_ t: Int) -> Double {
    let progress = Double(min(t, steps)) / Double(max(steps, 1))
    switch kind {
    case .constant: return 1
    case .step: return pow(gamma, Double(t / max(stepSize, 1)))
    case .multiStep: return pow(gamma, Double(milestones.count { $0 <= t }))
    case .cosine: return finalFactor + (1 - finalFactor) * (1 + cos(.pi * progress)) / 2
    case .polynomial: return finalFactor + (1 - finalFactor) * pow(1 - progress, power)
    case .oneCycle: return oneCycle(Double(min(t, max(steps - 1, 0))), Double(steps))
    }
  }

  private func oneCycle(_ t: Double, _ total: Double) -> Double {
    let top = riseFraction * total - 1, end = total - 1
    let first = 1 / startDivisor, last = first / finalDivisor
    if t <= top { return top > 0 ? first + (1 - first) * t / top : 1 }
    return 1 + (last - 1) * (t - top) / (end - top)
  }

  /// The settings that make no sense: key, value, and what is allowed.
  public var faults: [(key: String, value: String, allowed: String)] {
    let share = 0.0...1
    return [
      ("peak", "\(peak)", "0 or more", peak >= 0),
      ("steps", "\(steps)", "1 or more", steps >= 1),
      ("warmup_steps", "\(warmupSteps)", "0 (none) or more", warmupSteps >= 0),
      ("warmup_factor", "\(warmupFactor)", "0 to 1", share.contains(warmupFactor)),
      ("step_size", "\(stepSize)", "1 or more", stepSize >= 1),
      ("milestones", "\(milestones)", "steps in ascending order", milestones == milestones.sorted()),
      ("gamma", "\(gamma)", "above 0, at most 1", gamma > 0 && gamma <= 1),
      ("final_factor", "\(finalFactor)", "0 to 1", share.contains(finalFactor)),
      ("power", "\(power)", "above 0", power > 0),
      ("rise_fraction", "\(riseFraction)", "0 to 1", share.contains(riseFraction)),
      ("start_divisor", "\(startDivisor)", "1 or more", startDivisor >= 1),
      ("final_divisor", "\(finalDivisor)", "1 or more", finalDivisor >= 1),
    ].compactMap { key, value, allowed, isFine in isFine ? nil : (key, value, allowed) }
  }
}
