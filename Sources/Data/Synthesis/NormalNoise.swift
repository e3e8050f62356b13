import Foundation
import Tensors

/// Standard normal numbers in bulk: each 16-bit word of the random source picks one of 4096 quantiles.
///
/// Box and Muller's transform costs two transcendental functions per number, which would be half the time of a picture. The table
/// holds `Φ⁻¹((i + ½) / 4096)`, so moments are those of the normal law to three digits and the largest value is 3.66 σ: plenty
/// for textures and sensor noise.
struct NormalNoise {
  static let quantiles: [Float] = (0..<4096).map { Float(inverseNormal((Double($0) + 0.5) / 4096)) }

  private var random: Random

  /// Numbers of their own, independent of what `random` gives afterwards.
  init(from random: inout Random) { self.random = Random(seed: random.next(), stream: .noise) }

  /// Adds `scale · N(0, 1)` to every element.
  mutating func add(to values: inout [Float], scale: Float) {
    NormalNoise.quantiles.withUnsafeBufferPointer { table in
      values.withUnsafeMutableBufferPointer { values in
        var word: UInt64 = 0
        for index in 0..<values.count {
          if index & 3 == 0 { word = random.next() }
          values[index] += scale * table[Int(word & 4095)]
          word >>= 16
        }
      }
    }
  }

  /// The next three numbers, as a colour.
  mutating func color() -> SIMD4<Float> {
    let word = random.next(), table = NormalNoise.quantiles
    return SIMD4(table[Int(word & 4095)], table[Int(word >> 16 & 4095)], table[Int(word >> 32 & 4095)], 0)
  }

  /// `Φ⁻¹(p)` by bisection of `erfc`; runs 4096 times per process.
  private static func inverseNormal(_ p: Double) -> Double {
    var low = -8.0, high = 8.0
    for _ in 0..<48 {
      let middle = (low + high) / 2
      if erfc(-middle / 2.0.squareRoot()) / 2 < p { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
