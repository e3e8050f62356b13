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
    let pixels = [UInt8](unsafeUninitializedCapacity: 3 * height * width) { pixels, count in
      for y in 0..<height {
        let shade = 1 + slope.y * (Float(y) / Float(height) - 0.5)
        for x in 0..<width {
          let light = shade + slope.x * (Float(x) / Float(width) - 0.5)
          var color = blurred[y * width + x] * gain * light
          if noise > 0 { color += source.color() * Float(noise) }
          let level = (color + 0.5).clamped(lowerBound: SIMD4(repeating: 0), upperBound: SIMD4(repeating: 255))
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
    func pass(_ input: [SIMD4<Float>], stride: Int, position: (Int) -> Int, last: Int) -> [SIMD4<Float>] {
      input.withUnsafeBufferPointer { input in
        [SIMD4<Float>](unsafeUninitializedCapacity: input.count) { output, count in
          for index in 0..<input.count {
            let at = position(index)
            let back1 = min(at, 1) * stride, back2 = min(at, 2) * stride
            let ahead1 = min(last - at, 1) * stride, ahead2 = min(last - at, 2) * stride
            let sum = (input[index - back1] + input[index + ahead1]) * near + (input[index - back2] + input[index + ahead2]) * far
            output[index] = (input[index] + sum) * center
          }
          count = input.count
        }
      }
    }
    let rows = pass(colors, stride: 1, position: { $0 % width }, last: width - 1)
    return pass(rows, stride: width, position: { $0 / width }, last: height - 1)
  }
}
