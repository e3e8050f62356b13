import Base

extension Image {
  /// This picture (image 2) seen from image 1: the value at `(x + u, y + v)`, bilinear between pixels.
  ///
  /// With the true flow the result equals image 1 wherever nothing is occluded.
  /// - Parameters:
  ///   - flow: the flow from image 1 to this picture, same size.
  ///   - outside: the value where the flow is unknown or leads out of the frame.
  public func warped(by flow: FlowField, outside: UInt8 = 128) -> Image {
    guard flow.height == height, flow.width == width else {
      stop("Image.warped: image \(height)x\(width), flow \(flow.height)x\(flow.width)")
    }
    var result = Image(height: height, width: width, channels: channels,
                       pixels: Array(repeating: outside, count: pixels.count))
    for y in 0..<height {
      for x in 0..<width where flow.isValid[y * width + x] {
        let (u, v) = flow[y, x]
        let targetX = Float(x) + u
        let targetY = Float(y) + v
        guard targetX >= 0, targetY >= 0, targetX <= Float(width - 1), targetY <= Float(height - 1) else { continue }
        let left = min(Int(targetX), max(0, width - 2))
        let top = min(Int(targetY), max(0, height - 2))
        let a = targetX - Float(left)
        let b = targetY - Float(top)
        let right = min(left + 1, width - 1)
        let bottom = min(top + 1, height - 1)
        for channel in 0..<channels {
          func value(_ row: Int, _ column: Int) -> Float { Float(pixels[channels * (row * width + column) + channel]) }
          let upper = value(top, left) * (1 - a) + value(top, right) * a
          let lower = value(bottom, left) * (1 - a) + value(bottom, right) * a
          result.pixels[channels * (y * width + x) + channel] = UInt8(upper * (1 - b) + lower * b + 0.5)
        }
      }
    }
    return result
  }
}
