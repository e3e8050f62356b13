import Foundation

/// A random field whose amplitude spectrum falls as `1 / f^exponent`, as the luminance of photographs does (exponent 1 to 1.5).
///
/// The field is a sum of octaves, each white noise on a grid twice as fine as the one before, all interpolated by the uniform cubic
/// B-spline. Doubling the grid of B-spline coefficients is exact (the filter 1 4 6 4 1 over 8), so the result is the coefficient
/// grid of one smooth function, which `Texture` evaluates at any place: no interpolation error between two frames.
/// White noise of variance σ² on a grid of k cells per side has a power density of σ² / k²; for a density of `k^(-2·exponent)` the
/// octave needs σ = k^(1 - exponent).
/// - Source: octaves: Musgrave, "Procedural fractal terrains", in "Texturing and Modeling", 1994; spectra of photographs: Field,
///   "Relations between the statistics of natural images and the response properties of cortical cells", JOSA A 1987.
package enum FractalNoise {
  /// B-spline coefficients of a periodic field with zero mean and unit variance (of the coefficients).
  /// - Parameters:
  ///   - baseHeight, baseWidth: cells of the coarsest octave, at least 2.
  ///   - octaves: the number of doublings of the grid: the result has `base << octaves` rows and columns.
  ///   - exponent: of the amplitude spectrum.
  ///   - smoothOctaves: the number of finest octaves that stay empty (0: detail down to the grid).
  package static func field(
    baseHeight: Int, baseWidth: Int, octaves: Int, exponent: Double, smoothOctaves: Int = 0, noise: inout NormalNoise
  ) -> [Float] {
    var height = baseHeight
    var width = baseWidth
    var field = [Float](repeating: 0, count: height * width)
    noise.add(to: &field, scale: 1)
    for octave in 1..<max(1, octaves + 1) {
      field = doubled(field, height: height, width: width)
      height = 2 * height
      width = 2 * width
      if octave <= octaves - smoothOctaves { noise.add(to: &field, scale: Float(exp2(Double(octave) * (1 - exponent)))) }
    }
    standardize(&field)
    return field
  }

  /// The coefficients of the same periodic spline on a grid twice as fine in both directions.
  private static func doubled(_ coarse: [Float], height: Int, width: Int) -> [Float] {
    let wide = 2 * width
    return coarse.withUnsafeBufferPointer { coarse in
      let rows = [Float](unsafeUninitializedCapacity: height * wide) { rows, count in
        for y in 0..<height {
          let from = coarse.baseAddress.map { $0 + y * width }
          let to = rows.baseAddress.map { $0 + y * wide }
          guard let from, let to else { return }
          for x in 1..<max(1, width - 1) {
            to[2 * x] = 0.75 * from[x] + 0.125 * (from[x - 1] + from[x + 1])
            to[2 * x + 1] = 0.5 * (from[x] + from[x + 1])
          }
          for x in [0, width - 1] {
            let right = from[(x + 1) % width]
            to[2 * x] = 0.75 * from[x] + 0.125 * (from[(x + width - 1) % width] + right)
            to[2 * x + 1] = 0.5 * (from[x] + right)
          }
        }
        count = height * wide
      }
      return doubledRows(rows, height: height, width: wide)
    }
  }

  private static func doubledRows(_ rows: [Float], height: Int, width: Int) -> [Float] {
    rows.withUnsafeBufferPointer { rows in
      [Float](unsafeUninitializedCapacity: 2 * height * width) { fine, count in
        guard let rows = rows.baseAddress, let fine = fine.baseAddress else { return }
        for y in 0..<height {
          let above = rows + (y + height - 1) % height * width
          let middle = rows + y * width
          let below = rows + (y + 1) % height * width
          let even = fine + 2 * y * width
          let odd = even + width
          for x in 0..<width {
            even[x] = 0.75 * middle[x] + 0.125 * (above[x] + below[x])
            odd[x] = 0.5 * (middle[x] + below[x])
          }
        }
        count = 2 * height * width
      }
    }
  }

  /// Shifts and scales to mean 0 and variance 1.
  private static func standardize(_ field: inout [Float]) {
    var sum = 0.0
    var squares = 0.0
    for value in field {
      sum += Double(value)
      squares += Double(value * value)
    }
    let mean = sum / Double(field.count)
    let scale = Float(1 / max(1e-12, squares / Double(field.count) - mean * mean).squareRoot())
    let shift = Float(mean)
    field.withUnsafeMutableBufferPointer { field in
      for index in 0..<field.count { field[index] = (field[index] - shift) * scale }
    }
  }
}
