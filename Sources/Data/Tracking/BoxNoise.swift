import Base
import Foundation
import Vision

/// Errors of a detector, laid over boxes of a ground truth: misses and jitter. Section `noise`.
public struct BoxNoise: Codable, Sendable, Equatable, ValidatedConfig {
  /// Standard deviation of a box's place and size as a part of its size.
  public var jitter = 0.03
  /// Share of frames in which a box is missed, 0...0.9.
  public var missRate = 0.15
  /// Frames in a row for which it is missed, at most: uniform from 1.
  public var longestMiss = 8

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require((0...0.5).contains(jitter), "jitter", jitter, "0 to 0.5")
    problems.require((0...0.9).contains(missRate), "miss_rate", missRate, "0 to 0.9")
    problems.require((1...1000).contains(longestMiss), "longest_miss", longestMiss, "1 to 1000 frames")
    return problems
  }

  /// A box with errors of place and size.
  public func jittered(_ box: BoundingBox, _ random: inout Random) -> BoundingBox {
    let errors = (0..<4).map { _ in jitter * random.normal().clamped(to: -3...3) }
    return box.moved(by: BoxDisplacement(SIMD4(errors[0], errors[1], errors[2], errors[3])))
  }

  /// Which of some frames in a row are not missed.
  public func seen(_ count: Int, _ random: inout Random) -> [Bool] {
    // A frame behind a seen one, or behind the end of a miss, begins a miss with this probability: its share of frames is the rate.
    let mean = Double(longestMiss + 1) / 2
    let start = missRate / ((1 - missRate) * mean + missRate)
    var rest = 0
    return (0..<count).map { _ in
      let (chance, length) = (random.uniform(), random.integer(in: 1..<longestMiss + 1))
      if rest > 0 { rest -= 1 } else if chance < start { rest = length - 1 } else { return true }
      return false
    }
  }
}
