import Foundation

/// The clocks of a run; tests bring their own.
public struct TimeSource: Sendable {
  /// Seconds since 1970, for log rows and names.
  public let wall: @Sendable () -> Double
  /// Seconds of a clock that never jumps, for durations.
  public let steady: @Sendable () -> Double

  public init(wall: @escaping @Sendable () -> Double, steady: @escaping @Sendable () -> Double) {
    (self.wall, self.steady) = (wall, steady)
  }

  public static let system = TimeSource(wall: { reading(CLOCK_REALTIME) }, steady: { reading(CLOCK_MONOTONIC) })

  private static func reading(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// A time as `20260131T235959Z`, in UTC.
  package static func stamp(_ wall: Double) -> String {
    var seconds = time_t(wall)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let numbers = [parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec]
    let two = numbers.map { ($0 < 10 ? "0" : "") + String($0) }
    return two[0...2].joined() + "T" + two[3...5].joined() + "Z"
  }
}
