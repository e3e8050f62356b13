/// All metrics of a tracking benchmark, of one sequence or of several: counts are added and ratios formed of the sums, never averaged.
///
/// ```swift
/// var all = TrackingMetrics()
/// for (truth, result) in sequences {
///   all += TrackingMetrics(try TrackingComparison(truth: truth, result: result, benchmark: .mot17))
/// }
/// print(all.hota.hota, all.clear.mota, all.identity.f1)
/// ```
public struct TrackingMetrics: Sendable, Equatable {
  public internal(set) var clear = CLEARMetrics()
  public internal(set) var identity = IdentityMetrics()
  public internal(set) var hota = HOTAMetrics()
  /// Boxes of the result that were removed because they lie on a distractor.
  public internal(set) var removedCount = 0
  /// Tracks of the result, without those that were removed.
  public internal(set) var trackCount = 0

  /// The metrics of no sequence.
  public init() {}

  /// - Parameter rule: of the CLEAR metrics; the others have but one.
  public init(_ comparison: TrackingComparison, rule: TrackingRule = .official) {
    clear = CLEARMetrics(comparison, rule: rule)
    identity = IdentityMetrics(comparison)
    hota = HOTAMetrics(comparison)
    removedCount = comparison.removedCount
    trackCount = comparison.hypothesisLengths.count
  }

  public static func += (sum: inout TrackingMetrics, other: TrackingMetrics) {
    sum.clear += other.clear
    sum.identity += other.identity
    sum.hota += other.hota
    sum.removedCount += other.removedCount
    sum.trackCount += other.trackCount
  }
}
