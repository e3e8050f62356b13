import Base
import Foundation

/// Standard normal numbers in bulk: each 12 bits of the random source pick one of 4096 quantiles.
///
/// Box and Muller's transform costs two transcendental functions per number, which would be half the time of a picture. The table
/// holds `Φ⁻¹((i + ½) / 4096)`, so moments are those of the normal law to three digits and the largest value is 3.66 σ: plenty
/// for textures and sensor noise.
package struct NormalNoise {
  static let quantiles: [Float] = (0..<4096).map { Float(inverseNormal((Double($0) + 0.5) / 4096)) }

  private var random: Random

  /// A stream of its own, independent of the numbers that `random` gives afterwards.
  package init(from random: inout Random) { self.random = Random(seed: random.next(), stream: .noise) }

  /// Adds `scale · N(0, 1)` to every element.
  package mutating func add(to values: inout [Float], scale: Float) {
    var random = random
    NormalNoise.quantiles.withUnsafeBufferPointer { table in
      values.withUnsafeMutableBufferPointer { values in
        var index = 0
        while index < values.count {
          var word = random.next()  // 64 bits: five numbers of 12
          for at in index..<min(index + 5, values.count) {
            values[at] += scale * table[Int(word & 4095)]
            word >>= 12
          }
          index += 5
        }
      }
    }
    self.random = random
  }

  /// `Φ⁻¹(p)` by bisection of `erfc`; runs 4096 times per process.
  private static func inverseNormal(_ p: Double) -> Double {
    var low = -8.0
    var high = 8.0
    for _ in 0..<48 {
      let middle = (low + high) / 2
      if erfc(-middle / 2.0.squareRoot()) / 2 < p { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
