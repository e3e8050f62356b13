import Base
import Tensors

/// The settings that every task shares, under the key `plan`: length of the run, intervals of logs, evaluations and checkpoints, seed,
/// threads and exactness.
public struct Plan: Codable, Sendable, Equatable, ValidatedConfig {
  /// Updates in the whole run. Of a config with stages: the sum of theirs if left out, and at most that.
  public var steps = 100_000
  /// Passes over the training set in the whole run, instead of `steps`; 0: `steps` counts. Stages have their own.
  public var epochs = 0
  /// Steps between two rows of the training log; each row holds the mean over the steps since the last one.
  public var logEvery = 50
  /// Steps between two evaluations; 0: only after the last step.
  public var evaluateEvery = 5_000
  /// Whether to evaluate once before the first step.
  public var evaluateFirst = false
  /// Steps between two checkpoints; 0: only after the last step. A new best score is saved as well.
  public var saveEvery = 5_000
  /// The number of newest checkpoints that are kept; the best one is kept besides.
  public var keepLast = 3
  /// The seed of everything random in the run.
  public var seed = 1
  /// Worker threads; 0: one for each core. Changes the speed, never the result.
  public var threads = 0
  /// The precision of products (convolutions, linear layers, attention, correlation). Changes speed and rounding.
  public var matmulPrecision = MatmulPrecision.highest
  /// The scope of bit-for-bit reproducibility: `machine` (the fastest products; the same bits on this machine with this OpenBLAS) or
  /// `processors` (our own product kernels everywhere; the same bits on AVX2 and AVX-512 processors, so that a run can move).
  public var reproducible = Reproducibility.machine
  /// Hours after which the run saves and stops, to be resumed later; 0: no limit.
  public var maxHours = 0.0

  /// No run has more steps.
  static let mostSteps = 1_000_000_000

  public init() {}

  /// This plan with its length in steps.
  /// - Parameter total: the steps of all stages, where the recipe tells.
  func resolved(total: Int?) -> Plan {
    var plan = self
    if let total { plan.steps = epochs > 0 ? total : min(steps, total) }
    return plan
  }

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    let most = Plan.mostSteps
    problems.require((1...most).contains(steps), "steps", steps, "1 or more, at most \(most)")
    problems.require((0...1_000_000).contains(epochs), "epochs", epochs, "0 (steps count) to 1000000")
    problems.require((1...most).contains(logEvery), "log_every", logEvery, "1 or more, at most \(most)")
    problems.require((0...most).contains(evaluateEvery), "evaluate_every", evaluateEvery, "0 (only at the end) or more, at most \(most)")
    problems.require((0...most).contains(saveEvery), "save_every", saveEvery, "0 (only at the end) or more, at most \(most)")
    problems.require((1...1_000_000).contains(keepLast), "keep_last", keepLast, "1 or more, at most 1000000")
    problems.require(seed >= 0, "seed", seed, "0 or more")
    problems.require((0...4096).contains(threads), "threads", threads, "0 (one for each core) to 4096")
    problems.require(maxHours >= 0 && maxHours <= 1e6, "max_hours", maxHours, "0 (no limit) to 1e6")
    return problems
  }

  func logs(at step: Int) -> Bool { step % logEvery == 0 || step == steps }
  func evaluates(at step: Int) -> Bool { step == steps || (evaluateEvery > 0 && step % evaluateEvery == 0) }
  func saves(at step: Int) -> Bool { step == steps || (saveEvery > 0 && step % saveEvery == 0) }
}
