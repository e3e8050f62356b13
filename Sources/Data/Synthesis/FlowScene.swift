/// Layers from back to front; renders both frames and the exact flow between them.
package struct FlowScene: Sendable {
  package let height: Int
  package let width: Int
  /// The first one must cover the frame.
  package var layers: [SceneLayer]

  package init(height: Int, width: Int, layers: [SceneLayer]) {
    self.height = height
    self.width = width
    self.layers = layers
  }

  /// One frame before the camera: linear values 0...255, and which layer is on top at each pixel.
  package struct Frame: Sendable {
    package var colors: [SIMD4<Float>]
    /// Index of the front-most layer that covers at least half of the pixel.
    package var owners: [Int16]
  }

  /// Renders image 1 (`second` false) or image 2.
  package func render(second: Bool) -> Frame {
    var frame = Frame(colors: Array(repeating: SIMD4(repeating: 0), count: height * width),
                      owners: Array(repeating: 0, count: height * width))
    for (index, layer) in layers.enumerated() {
      let place = second ? layer.motion.after(layer.placement) : layer.placement
      if let shadow = layer.shadow {
        var ground = place
        ground.t += shadow.offset
        frame.colors.withUnsafeMutableBufferPointer { colors in
          draw(shadow.texture, at: ground.after(shadow.placement), wraps: false) { pixel, value in
            if value.w > 0 { colors[pixel] *= 1 - value.w }
          }
        }
      }
      draw(layer, at: place, index: index, on: &frame)
    }
    return frame
  }

  private func draw(_ layer: SceneLayer, at place: AffineMotion, index: Int, on frame: inout Frame) {
    frame.colors.withUnsafeMutableBufferPointer { colors in
      frame.owners.withUnsafeMutableBufferPointer { owners in
        draw(layer.texture, at: place, wraps: layer.wraps) { pixel, value in
          guard value.w > 0 else { return }
          colors[pixel] += (value - colors[pixel]) * value.w
          if value.w >= 0.5 { owners[pixel] = Int16(index) }
        }
      }
    }
  }

  /// Visits every pixel that the texture may cover, in its bounding box.
  @inline(__always)
  private func draw(_ texture: Texture, at place: AffineMotion, wraps: Bool, _ body: (Int, SIMD4<Float>) -> Void) {
    var low = SIMD2(0, 0), high = SIMD2(width - 1, height - 1)
    if !wraps {
      let size = SIMD2(Double(texture.width), Double(texture.height))
      let corners = [SIMD2(0, 0), SIMD2(size.x, 0), SIMD2(0, size.y), size].map { place($0) }
      let x = corners.map(\.x), y = corners.map(\.y)
      low = SIMD2(max(0, bound(x.min() ?? 0)), max(0, bound(y.min() ?? 0)))
      high = SIMD2(min(width - 1, bound(x.max() ?? 0)), min(height - 1, bound(y.max() ?? 0)))
    }
    guard low.x <= high.x, low.y <= high.y else { return }
    let back = place.inverse
    let step = SIMD2<Float>(back.a)
    for y in low.y...high.y {
      let start = SIMD2<Float>(back(SIMD2(Double(low.x), Double(y))))
      texture.forEach(from: start, step: step, count: high.x - low.x + 1, wraps: wraps) { index, value in
        body(y * width + low.x + index, value)
      }
    }
  }

  /// A coordinate as a whole number, kept within what an integer can hold.
  private func bound(_ value: Double) -> Int { Int(value.clamped(to: -1e6...1e6).rounded()) }

  /// The flow from image 1 to image 2: at each pixel the motion of the layer on top.
  package func flow(owners: [Int16]) -> [Float] {
    let motions = layers.map(\.motion)
    var vectors = [Float](repeating: 0, count: 2 * height * width)
    for y in 0..<height {
      for x in 0..<width {
        let pixel = y * width + x
        let move = motions[Int(owners[pixel])].displacement(at: SIMD2(Double(x), Double(y)))
        vectors[2 * pixel] = Float(move.x)
        vectors[2 * pixel + 1] = Float(move.y)
      }
    }
    return vectors
  }
}
