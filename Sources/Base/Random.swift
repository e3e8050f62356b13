import Foundation

/// A counter-based random source: the n-th number of a stream is a pure function of its key.
///
/// The key is `(seed, stream, epoch, sample)`, so a run draws the same numbers however many threads or workers take part and wherever
/// it was interrupted.
///
/// - Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011: Philox 4x32 with 10 rounds.
public struct Random: RandomNumberGenerator, Sendable, Equatable {
  /// The purpose of a stream of numbers; each has its own numbers.
  public enum Stream: UInt32, Sendable, CaseIterable {
    case initialization, shuffling, augmentation, dropout, noise, synthesis, test, bootstrap
  }

  let key: SIMD2<UInt32>
  var counter: SIMD4<UInt32>
  private var block = SIMD4<UInt32>()
  private var used = 4

  /// - Parameters:
  ///   - seed: the seed of the run.
  ///   - stream: what the numbers are for.
  ///   - epoch, sample: which pass over the data, and which element of it; each pair has 2³² blocks of four numbers.
  public init(seed: UInt64, stream: Stream, epoch: Int = 0, sample: Int = 0) {
    let mixed = Random.mix(seed ^ Random.mix(UInt64(stream.rawValue) &+ 0x9E37_79B9_7F4A_7C15))
    key = SIMD2(UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32))
    let place = Random.mix(UInt64(bitPattern: Int64(epoch))) 
    counter = SIMD4(0, UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: place),
                    UInt32(truncatingIfNeeded: place >> 32) ^ UInt32(truncatingIfNeeded: sample >> 32))
  }

  /// The finaliser of SplitMix64: spreads every input bit over the whole word.
  private static func mix(_ x: UInt64) -> UInt64 {
    var z = x &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Ten Philox rounds of `counter` under `key`.
  package static func philox(_ counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for round in 0..<10 {
      if round > 0 { k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85) }
      let a = UInt64(0xD251_1F53) * UInt64(c.x)
      let b = UInt64(0xCD9E_8D57) * UInt64(c.z)
      c = SIMD4(UInt32(b >> 32) ^ c.y ^ k.x, UInt32(truncatingIfNeeded: b),
                UInt32(a >> 32) ^ c.w ^ k.y, UInt32(truncatingIfNeeded: a))
    }
    return c
  }

  public mutating func nextWord() -> UInt32 {
    if used == 4 {
      block = Random.philox(counter, key: key)
      counter.x &+= 1
      used = 0
    }
    defer { used += 1 }
    return block[used]
  }

  public mutating func next() -> UInt64 { UInt64(nextWord()) | UInt64(nextWord()) << 32 }

  /// Uniform in `[0, 1)`, a multiple of 2⁻⁵³.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in `[low, high)`.
  public mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * uniform() }

  /// True with probability `p`.
  public mutating func chance(_ p: Double) -> Bool { uniform() < p }

  /// Standard normal, by Box and Muller's transform (one of the pair is used, so that the stream has no hidden state).
  public mutating func normal() -> Double {
    let radius = (-2 * Foundation.log(1 - uniform())).squareRoot()
    return radius * Foundation.cos(2 * Double.pi * uniform())
  }

  /// Position of the next word: word `offset` (0 to 3) of the block at `counter`.
  ///
  /// Further blocks count up in `counter.x`. With `skip`, for loops that draw many numbers at once, each at its own place.
  package var position: (key: SIMD2<UInt32>, counter: SIMD4<UInt32>, offset: Int) {
    var first = counter
    if used < 4 { first.x &-= 1 }
    return (key, first, used % 4)
  }

  /// Passes over `words` words, as drawing them one by one would.
  package mutating func skip(_ words: Int) {
    guard words > 0 else { return }
    let (_, first, offset) = position
    let end = offset + words
    let last = (end - 1) / 4  // the block of the last word that is passed over
    counter = first
    counter.x &+= UInt32(truncatingIfNeeded: last)
    block = Random.philox(counter, key: key)
    counter.x &+= 1
    used = end - 4 * last
  }

  /// Uniform integer in `range`, without bias.
  public mutating func integer(in range: Range<Int>) -> Int { Int.random(in: range, using: &self) }
}
