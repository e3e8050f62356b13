import Base
import Data
import Foundation
import Synthesis
import Testing
import Vision

@Suite struct SyntheticTextureTests {
  /// The exponent e of an amplitude spectrum 1/f^e, fitted to the two axes of the two-dimensional transform.
  ///
  /// On the axis the transform is that of the column sums. A Hann window keeps the frame's border out of it.
  static func exponent(of pictures: [[Double]], side: Int, frequencies: ClosedRange<Int>, isPeriodic: Bool) -> Double {
    let window = (0..<side).map { (index: Int) -> Double in
      isPeriodic ? 1 : 0.5 - 0.5 * cos(2 * Double.pi * (Double(index) + 0.5) / Double(side))
    }
    var power = [Double](repeating: 0, count: side)
    for picture in pictures {
      let mean: Double = picture.reduce(0, +) / Double(side * side)
      var columns = [Double](repeating: 0, count: side), rows = columns
      for y in 0..<side {
        for x in 0..<side {
          let value: Double = (picture[y * side + x] - mean) * window[y] * window[x]
          columns[x] += value
          rows[y] += value
        }
      }
      for k in frequencies { power[k] += self.power(of: columns, at: k) + self.power(of: rows, at: k) }
    }
    return -slope(frequencies.map { (log(Double($0)), log(power[$0]) / 2) })
  }

  /// The squared amplitude of one frequency.
  private static func power(of sums: [Double], at frequency: Int) -> Double {
    var real = 0.0, imaginary = 0.0
    let angle = 2 * Double.pi * Double(frequency) / Double(sums.count)
    for (index, sum) in sums.enumerated() {
      real += sum * cos(angle * Double(index))
      imaginary += sum * sin(angle * Double(index))
    }
    return real * real + imaginary * imaginary
  }

  /// The slope of the straight line with the least squares.
  private static func slope(_ points: [(Double, Double)]) -> Double {
    let count = Double(points.count)
    let mx: Double = points.reduce(0) { $0 + $1.0 } / count, my: Double = points.reduce(0) { $0 + $1.1 } / count
    var xy = 0.0, xx = 0.0
    for (x, y) in points {
      xy += (x - mx) * (y - my)
      xx += (x - mx) * (x - mx)
    }
    return xy / xx
  }

  /// The mean power of 2·24 transforms per frequency scatters by 1/√48 = 14 %, its half logarithm by 0.07; a line through 28 of them
  /// (standard deviation of log f: 0.5) by 0.07 / (√28 · 0.5) = 0.026, and three of these are 0.08. The octaves end at the grid and the
  /// spline damps high frequencies: the sum over octaves of n^(-2e) · sinc⁸(f/n) gives slopes off by up to 0.08. Together 0.16.
  @Test(arguments: [0.6, 1.0, 1.3, 1.6])
  func noiseHasTheSpectrumAskedFor(exponent: Double) {
    var random = Random(seed: 1, stream: .test)
    var noise = NormalNoise(from: &random)
    let fields = (0..<24).map { _ -> [Double] in
      let field = FractalNoise.field(baseHeight: 4, baseWidth: 4, octaves: 6, exponent: exponent, noise: &noise)
      let texture = Texture(height: 256, width: 256, texels: field.map { SIMD4($0, 0, 0, 1) })
      return (0..<256 * 256).map { Double(texture.value(at: SIMD2(Float($0 % 256), Float($0 / 256))).x) }
    }
    let found = Self.exponent(of: fields, side: 256, frequencies: 5...32, isPeriodic: true)
    #expect(abs(found - exponent) < 0.16, "found \(found)")
  }

  @Test func fieldsHaveUnitVarianceAndAreNotTheSame() {
    var random = Random(seed: 1, stream: .test)
    var noise = NormalNoise(from: &random)
    let first = FractalNoise.field(baseHeight: 3, baseWidth: 5, octaves: 3, exponent: 1, noise: &noise)
    let second = FractalNoise.field(baseHeight: 3, baseWidth: 5, octaves: 3, exponent: 1, noise: &noise)
    #expect(first.count == 24 * 40 && first != second)
    var mean: Float = 0, variance: Float = 0
    for value in first {
      mean += value / 960
      variance += value * value / 960
    }
    #expect(abs(mean) < 1e-4 && abs(variance - 1) < 1e-3)
  }

  /// Real photographs and films of the manifest measure 1.1 to 1.6 (edges and surfaces together).
  @Test func picturesHaveTheSpectrumOfPhotographs() {
    var settings = FlowSynthesis()
    (settings.height, settings.width, settings.noise) = (128, 128, 0)
    let exponents = (0..<16).map { index in
      let image = settings.sample(index: index, seed: 21).image1
      let grey = (0..<128 * 128).map(image.grey)
      return Self.exponent(of: [grey], side: 128, frequencies: 3...40, isPeriodic: false)
    }
    let mean = exponents.reduce(0, +) / 16
    #expect((0.9...1.7).contains(mean), "found \(exponents)")
  }

  /// Photographs: channels correlate by 0.7 to 0.99; saturated noise would be near 0.
  @Test func coloursAreModerate() {
    var settings = FlowSynthesis()
    (settings.height, settings.width) = (128, 160)
    var spread = 0.0, deviation = 0.0
    for index in 0..<16 {
      let image = settings.sample(index: index, seed: 22).image1
      let count = image.height * image.width
      var sum = 0.0, squares = 0.0
      for pixel in 0..<count {
        let channels = image.pixels[3 * pixel..<3 * pixel + 3]
        spread += (Double(channels.max() ?? 0) - Double(channels.min() ?? 0)) / Double(count * 16)
        let grey = image.grey(pixel)
        sum += grey / Double(count)
        squares += grey * grey / Double(count)
      }
      deviation += (squares - sum * sum).squareRoot() / 16
    }
    // The seven real images of the manifest: largest minus smallest channel 18 to 107 levels, deviation of grey 42 to 77.
    #expect((15...70).contains(spread), "largest minus smallest channel: \(spread)")
    #expect((20...75).contains(deviation), "standard deviation of grey: \(deviation)")
  }

  /// The luminance of eight textures of a family, 128 x 128 each.
  private func greys(of family: TextureFamily) -> [[Double]] {
    (0..<8).map { index in
      var random = Random(seed: 31, stream: .test, sample: index)
      let texture = family.texture(octaves: 4, exponent: 1.2, &random)
      return (0..<128 * 128).map { place in
        let value = texture.value(at: SIMD2(Float(place % 128), Float(place / 128)))
        return 0.299 * Double(value.x) + 0.587 * Double(value.y) + 0.114 * Double(value.z)
      }
    }
  }

  @Test(arguments: TextureFamily.allCases) func everyFamilyShowsSomethingWithinTheRange(family: TextureFamily) {
    let pictures = greys(of: family)
    #expect(pictures == greys(of: family), "the same random numbers give the same texture")
    #expect(pictures.allSatisfy { picture in picture.allSatisfy { (0...255.1).contains($0) } })
    #expect(Set(pictures.map { $0[777] }).count == 8, "other numbers give another one")
    let deviations = pictures.map { grey -> Double in
      let mean: Double = grey.reduce(0, +) / Double(grey.count)
      var squares = 0.0
      for value in grey { squares += (value - mean) * (value - mean) }
      return (squares / Double(grey.count)).squareRoot()
    }
    // A plain surface may be a gradient of a few levels; everything else is something to hold on to.
    let least = family == .smooth ? 1.0 : 4
    #expect(deviations.sorted()[4] > least && (deviations.max() ?? 0) < 100, "\(deviations)")
  }

  /// What patterns and leaves have and fractal noise has not: few large steps among many small ones (the kurtosis of normally distributed
  /// steps is 3).
  @Test(arguments: [TextureFamily.leaves, .masonry, .dots, .writing, .patches])
  func edgesAreSparse(family: TextureFamily) {
    func kurtosis(_ family: TextureFamily) -> Double {
      let values = greys(of: family).map { grey -> Double in
        var second = 0.0, fourth = 0.0
        for y in 0..<128 {
          for x in 0..<127 {
            let step: Double = grey[y * 128 + x + 1] - grey[y * 128 + x]
            let square = step * step
            second += square
            fourth += square * square
          }
        }
        return 128 * 127 * fourth / (second * second)
      }
      return values.sorted()[4]
    }
    let found = kurtosis(family), plain = kurtosis(.grain)
    #expect(found > 5 && found > plain, "kurtosis \(found), of grain \(plain)")
  }

  @Test func normalNoiseHasTheMomentsOfTheNormalLaw() {
    var random = Random(seed: 9, stream: .test)
    var noise = NormalNoise(from: &random)
    var values = [Float](repeating: 0, count: 100_003)
    noise.add(to: &values, scale: 2)
    var mean = 0.0, second = 0.0, fourth = 0.0
    for value in values {
      let x = Double(value), n = Double(values.count)
      mean += x / n
      second += x * x / n
      fourth += x * x * x * x / n
    }
    // Deviations of the estimates: 2/√n = 0.006, 4·√(2/n) = 0.018, and √(24/n)·… = 0.016 for the ratio; four of each.
    #expect(abs(mean) < 0.026 && abs(second - 4) < 0.072)
    #expect(abs(fourth / (second * second) - 3) < 0.08)
  }

  /// A cubic B-spline repeats straight lines exactly, and its weights add up to 1.
  @Test func textureIsASplineOfItsTexels() {
    let ramp = Texture(height: 8, width: 8, texels: (0..<64).map { (i: Int) -> SIMD4<Float> in SIMD4(Float(i % 8), Float(i / 8), 5, 1) })
    for point in [SIMD2<Float>(3, 4), SIMD2(2.25, 3.5), SIMD2(4.9, 2.1)] {
      let value = ramp.value(at: point)
      let difference: SIMD4<Float> = value - SIMD4(point.x, point.y, 5, 1)
      #expect((difference * difference).max() < 1e-10)
    }
    let wrapped = ramp.value(at: SIMD2(19, -4))
    #expect(wrapped == ramp.value(at: SIMD2(3, 4)), "the texture repeats")
    // A single texel of 1: 4/6 · 4/6 at its place, 1/6 · 4/6 one texel away.
    var dot = [SIMD4<Float>](repeating: SIMD4(0, 0, 0, 0), count: 64)
    dot[3 * 8 + 4] = SIMD4(1, 0, 0, 0)
    let spline = Texture(height: 8, width: 8, texels: dot)
    let center: Float = spline.value(at: SIMD2(4, 3)).x, side: Float = spline.value(at: SIMD2(5, 3)).x
    #expect(abs(center - 0.444444) < 2e-6 && abs(side - 0.111111) < 2e-6)
    #expect(spline.value(at: SIMD2(6, 3)).x == 0)
  }
}
