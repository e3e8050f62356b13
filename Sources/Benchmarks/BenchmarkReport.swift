import Base
import Tensors

/// The results of a run of the benchmarks; `--json` prints them with these names in snake case.
public struct BenchmarkReport: Codable, Sendable {
  /// The processor's name and the cores this process may use.
  public var cpu: String
  public var cores: Int
  /// Threads of either side.
  public var threads: Int
  /// The instruction set of our kernels, where a case does not choose its own.
  public var isa: String
  /// The precision of products that was asked for.
  public var precision: MatmulPrecision
  public var rounds: Int
  /// Measured peak of float32 multiply-adds on these threads, 10⁹ operations per second.
  public var peakGflops: Double
  /// PyTorch's version; absent if it does not take part, and then why.
  public var torch: String?
  public var torchMissing: String?
  public var cases: [Case] = []
  /// Cases that cannot run here.
  public var skipped: [Skipped] = []
  public var groups: [Group] = []

  public struct Case: Codable, Sendable {
    public var name: String
    public var summary: String
    /// Floating-point operations of one repetition, 10⁹.
    public var gflop: Double
    /// Repetitions in each round.
    public var repetitions: Int
    public var ours: Side
    public var torch: Side?
    public var ratio: Ratio?
    /// Other ways of ours to compute the same.
    public var alternatives: [Side]
    public var notes: [String]
  }

  public struct Side: Codable, Sendable {
    /// The variant that ran: the instruction set, or PyTorch's fastest one.
    public var variant: String
    /// The precision of products in force.
    public var precision: String
    /// Seconds of one repetition: the median over the rounds.
    public var seconds: Double
    /// The first and the third quartile of `seconds` over the rounds.
    public var secondsLowerQuartile: Double
    public var secondsUpperQuartile: Double
    public var gflops: Double
    /// 1 is the measured peak; known when all cases have run.
    public var shareOfPeak: Double
    /// The most memory in use by the process while it repeats the case; absent where it is not measured.
    public var peakMebibytes: Double?
    /// Seconds of one repetition, for every round.
    public var roundSeconds: [Double]

    init(variant: String, precision: String, rounds: [Double], operations: Double, peakMebibytes: Double?) {
      (self.variant, self.precision, roundSeconds, self.peakMebibytes) = (variant, precision, rounds, peakMebibytes)
      seconds = Statistics.median(rounds)
      (secondsLowerQuartile, secondsUpperQuartile) = Statistics.quartiles(rounds)
      gflops = operations / seconds / 1e9
      shareOfPeak = 0
    }

    mutating func compare(withPeak peak: Double) { shareOfPeak = gflops / peak }
  }

  /// PyTorch's time divided by ours: above 1 we are faster.
  public struct Ratio: Codable, Sendable {
    /// Of the medians.
    public var ofMedians: Double
    /// The first and the third quartile of the ratios of the single rounds.
    public var lowerQuartile: Double
    public var upperQuartile: Double

    init(ours: [Double], torch: [Double]) {
      ofMedians = Statistics.median(torch) / Statistics.median(ours)
      (lowerQuartile, upperQuartile) = Statistics.quartiles(zip(ours, torch).map { $1 / $0 })
    }
  }

  public struct Skipped: Codable, Sendable {
    public var name: String
    public var reason: String
  }

  /// Cases of one group, if all of them ran on both sides.
  public struct Group: Codable, Sendable {
    public var name: String
    /// The geometric mean of the ratios of the medians.
    public var ratio: Double
  }
}
