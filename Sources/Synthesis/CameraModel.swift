import Base
import Data
import Foundation
import Vision

/// A camera model: lens blur, light, tone curve, sensor noise, rounding to eight bits, JPEG.
struct CameraModel: Sendable {
  /// Standard deviation of the Gaussian blur, px.
  var blur = 0.0
  /// Gain of the light, a factor per colour channel.
  var gain = SIMD4<Float>(repeating: 1)
  /// Relative change of the light from the left to the right border, and from top to bottom.
  var slope = SIMD2<Float>(0, 0)
  /// Vignetting: the relative loss of light in the corners, 0...1.
  var vignette: Float = 0
  /// The tone curve: levels 0...1 become `level^gamma`, then spread by `contrast` about 1/2.
  var gamma = 1.0
  var contrast = 1.0
  /// Standard deviation of the noise, in grey levels.
  var noise = 0.0
  /// Quality of the JPEG file that the picture passes through, 1...100; 0: none.
  var quality = 0

  func develop(_ colors: [SIMD4<Float>], height: Int, width: Int, _ random: Random) -> Image {
    var random = random
    var source = NormalNoise(from: &random)
    let blurred = blur > 0.05 ? CameraModel.blurred(colors, height: height, width: width, sigma: blur) : colors
    let zero = [Float](repeating: 0, count: 3 * width)
    let curve = toneCurve
    let pixels = [UInt8](unsafeUninitializedCapacity: 3 * height * width) { pixels, count in
      for y in 0..<height {
        var grain = zero
        if noise > 0 { source.add(to: &grain, scale: Float(noise)) }
        let shade = 1 + slope.y * (Float(y) / Float(height) - 0.5)
        let pace = slope.x / Float(width)
        let dy = 2 * Float(y) / Float(height) - 1
        for x in 0..<width {
          let dx = 2 * Float(x) / Float(width) - 1
          let light = (shade + pace * Float(x) - slope.x / 2) * (1 - vignette * 0.5 * (dx * dx + dy * dy))
          let color = (blurred[y * width + x] * gain * light).limited(SIMD4(repeating: 0), SIMD4(repeating: 255))
          let toned = SIMD4(curve[Int(color.x * 8)], curve[Int(color.y * 8)], curve[Int(color.z * 8)], 0)
          let level = (toned + SIMD4(grain[3 * x], grain[3 * x + 1], grain[3 * x + 2], 0) + 0.5)
            .limited(SIMD4(repeating: 0), SIMD4(repeating: 255))
          let at = 3 * (y * width + x)
          pixels[at] = UInt8(level.x)
          pixels[at + 1] = UInt8(level.y)
          pixels[at + 2] = UInt8(level.z)
        }
      }
      count = 3 * height * width
    }
    let image = Image(height: height, width: width, channels: 3, pixels: pixels)
    guard quality > 0 else { return image }
    do {
      return try JPEG.decode(JPEG.encode(image, quality: quality), place: "synthetic picture")
    } catch {
      stop("CameraModel: a picture that was just encoded cannot be decoded: \(error)")
    }
  }

  /// The tone curve as a table: output level by input in eighths of a level.
  private var toneCurve: [Float] {
    (0...2040).map { index in
      let level = pow(Double(index) / 2040, gamma)
      return Float(255 * ((level - 0.5) * contrast + 0.5).clamped(to: 0...1))
    }
  }

  /// Separable five-tap Gaussian with replicated borders; good for sigma up to about 1.
  private static func blurred(_ colors: [SIMD4<Float>], height: Int, width: Int, sigma: Double) -> [SIMD4<Float>] {
    let near = Float(exp(-0.5 / (sigma * sigma)))
    let far = Float(exp(-2 / (sigma * sigma)))
    let center = 1 / (1 + 2 * near + 2 * far)
    let columns = colors.withUnsafeBufferPointer { input in
      [SIMD4<Float>](unsafeUninitializedCapacity: input.count) { output, count in
        for y in 0..<height {
          let above = max(y - 1, 0) * width
          let above2 = max(y - 2, 0) * width
          let below = min(y + 1, height - 1) * width
          let below2 = min(y + 2, height - 1) * width
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

  /// One direction of the Gaussian: sums of neighbouring rows, row by row, so that memory is read in order.
  private static func rows(
    _ input: [SIMD4<Float>], height: Int, width: Int, weights: (center: Float, near: Float, far: Float)
  ) -> [SIMD4<Float>] {
    input.withUnsafeBufferPointer { input in
      [SIMD4<Float>](unsafeUninitializedCapacity: input.count) { output, count in
        for y in 0..<height {
          let row = y * width
          let last = row + width - 1
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
