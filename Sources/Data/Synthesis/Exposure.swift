import Foundation
import Tensors
import Vision

/// The camera: lens blur, the light on the scene, sensor noise, eight bits.
struct Exposure: Sendable {
  /// Standard deviation of the Gaussian blur, px.
  var blur = 0.0
  /// Factor per colour channel.
  var gain = SIMD4<Float>(repeating: 1)
  /// Relative change of the light from the left to the right border, and from top to bottom.
  var slope = SIMD2<Float>(0, 0)
  /// Standard deviation of the noise, in grey levels.
  var noise = 0.0

  func develop(_ colors: [SIMD4<Float>], height: Int, width: Int, _ random: Random) -> Image {
    var random = random
    var source = NormalNoise(from: &random)
    let blurred = blur > 0.05 ? Exposure.blurred(colors, height: height, width: width, sigma: blur) : colors
    let zero = [Float](repeating: 0, count: 3 * width)
    let pixels = [UInt8](unsafeUninitializedCapacity: 3 * height * width) { pixels, count in
      for y in 0..<height {
        var grain = zero
        if noise > 0 { source.add(to: &grain, scale: Float(noise)) }
        let shade = 1 + slope.y * (Float(y) / Float(height) - 0.5), pace = slope.x / Float(width)
        for x in 0..<width {
          let color = blurred[y * width + x] * gain * (shade + pace * Float(x) - slope.x / 2)
          let level = (color + SIMD4(grain[3 * x], grain[3 * x + 1], grain[3 * x + 2], 0) + 0.5)
            .limited(SIMD4(repeating: 0), SIMD4(repeating: 255))
          let at = 3 * (y * width + x)
          pixels[at] = UInt8(level.x)
          pixels[at + 1] = UInt8(level.y)
          pixels[at + 2] = UInt8(level.z)
        }
      }
      count = 3 * height * width
    }
    return Image(height: height, width: width, channels: 3, pixels: pixels)
  }

  /// Separable five-tap Gaussian with replicated borders; good for sigma up to about 1.
  private static func blurred(_ colors: [SIMD4<Float>], height: Int, width: Int, sigma: Double) -> [SIMD4<Float>] {
    let near = Float(exp(-0.5 / (sigma * sigma))), far = Float(exp(-2 / (sigma * sigma)))
    let center = 1 / (1 + 2 * near + 2 * far)
    let columns = colors.withUnsafeBufferPointer { input in
      [SIMD4<Float>](unsafeUninitializedCapacity: input.count) { output, count in
        for y in 0..<height {
          let above = max(y - 1, 0) * width, above2 = max(y - 2, 0) * width
          let below = min(y + 1, height - 1) * width, below2 = min(y + 2, height - 1) * width
          for x in 0..<width {
            let nearby: SIMD4<Float> = (input[above + x] + input[below + x]) * near
            let distant: SIMD4<Float> = (input[above2 + x] + input[below2 + x]) * far
            output[y * width + x] = (input[y * width + x] + nearby + distant) * center
          }
        }
        count = input.count
      }
    }
    return rows(columns, height: height, width: width, weights: (center, near * center, far * center))
  }

  /// The same along rows, row by row, so that memory is read in order.
  private static func rows(
    _ input: [SIMD4<Float>], height: Int, width: Int, weights: (center: Float, near: Float, far: Float)
  ) -> [SIMD4<Float>] {
    input.withUnsafeBufferPointer { input in
      [SIMD4<Float>](unsafeUninitializedCapacity: input.count) { output, count in
        for y in 0..<height {
          let row = y * width, last = row + width - 1
          for at in row...last {
            let nearby: SIMD4<Float> = (input[max(at - 1, row)] + input[min(at + 1, last)]) * weights.near
            let distant: SIMD4<Float> = (input[max(at - 2, row)] + input[min(at + 2, last)]) * weights.far
            output[at] = input[at] * weights.center + nearby + distant
          }
        }
        count = input.count
      }
    }
  }
}
