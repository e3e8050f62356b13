import Foundation

/// Layers from back to front, and light that moves over them; renders both frames and the exact flow between them.
package struct FlowScene: Sendable {
  package let height: Int
  package let width: Int
  /// The first one must cover the frame.
  package var layers: [SceneLayer]
  /// Shadows and highlights that wander over all surfaces. They are not part of the flow.
  package var lights: [SceneLight] = []
  /// Exposure time as a share of the time between the images, 0...1. The flow is that between the middles of the exposures.
  package var shutter = 0.0

  package init(height: Int, width: Int, layers: [SceneLayer]) {
    self.height = height
    self.width = width
    self.layers = layers
  }

  /// A rendered frame before the camera model: linear values 0...255, and the layer on top at each pixel.
  package struct Frame: Sendable {
    package var colors: [SIMD4<Float>]
    /// Index of the front-most layer that covers at least half of the pixel.
    package var owners: [Int16]
  }

  /// Renders image 1 (`second` false) or image 2.
  package func render(second: Bool) -> Frame {
    let middle = second ? 1.0 : 0.0
    var frame = frame(at: middle)
    guard shutter > 0 else { return frame }
    // An odd number of moments about 2 px apart, the frame itself in the middle; seven must do for the fastest.
    let reach = shutter * layers.map(\.motion).map(largestStep).reduce(0, max)
    let side = Int((reach / 4).rounded(.up).clamped(to: 1...3))
    for moment in 1...side {
      for sign in [-1.0, 1.0] {
        let other = self.frame(at: middle + sign * shutter * Double(moment) / Double(2 * side + 1))
        for pixel in frame.colors.indices { frame.colors[pixel] += other.colors[pixel] }
      }
    }
    let share = 1 / Float(2 * side + 1)
    for pixel in frame.colors.indices { frame.colors[pixel] *= share }
    return frame
  }

  /// The largest displacement of the frame's corners under a motion, px.
  private func largestStep(_ motion: Homography) -> Double {
    let size = SIMD2(Double(width), Double(height))
    return [SIMD2(0, 0), SIMD2(size.x, 0), SIMD2(0, size.y), size].map { corner -> Double in
      let move = motion.displacement(at: corner)
      return (move * move).sum().squareRoot()
    }.reduce(0, max)
  }

  /// The scene at a moment: 0 is image 1, 1 is image 2.
  private func frame(at time: Double) -> Frame {
    var frame = Frame(colors: Array(repeating: SIMD4(repeating: 0), count: height * width),
                      owners: Array(repeating: 0, count: height * width))
    frame.colors.withUnsafeMutableBufferPointer { colors in
      frame.owners.withUnsafeMutableBufferPointer { owners in
        for (index, layer) in layers.enumerated() {
          let view = ProjectedLayer(layer, at: time)
          if let shadow = layer.shadow {
            let place = view.place.after(shadow.placement)
            let ground = ProjectedLayer(shadow.texture, at: Homography.shift(shadow.offset).after(place))
            ground.visit(height: height, width: width) { pixel, value, _ in
              if value.w > 0 { colors[pixel] *= 1 - value.w }
            }
          }
          view.visit(height: height, width: width) { pixel, value, visibility in
            guard value.w > 0 else { return }
            let seen = layer.haze.map { $0.color + (value - $0.color) * visibility } ?? value
            colors[pixel] += (seen - colors[pixel]) * value.w
            if value.w >= 0.5 { owners[pixel] = Int16(index) }
          }
        }
        for light in lights { light.fall(on: colors, height: height, width: width, at: time) }
      }
    }
    return frame
  }

  /// The flow from image 1 to image 2 (`second` false): at each pixel the motion of the layer on top. Or back: from image 2 to image 1.
  /// - Parameter owners: of that image.
  package func flow(owners: [Int16], second: Bool = false) -> [Float] {
    var vectors = [Float](repeating: 0, count: 2 * height * width)
    for y in 0..<height {
      for x in 0..<width {
        let pixel = y * width + x
        let p = SIMD2(Double(x), Double(y))
        let layer = layers[Int(owners[pixel])]
        let move = (second ? layer.source(of: p) : layer.target(of: p)) - p
        vectors[2 * pixel] = Float(move.x)
        vectors[2 * pixel + 1] = Float(move.y)
      }
    }
    return vectors
  }
}

/// A shadow or a highlight that moves on its own.
package struct SceneLight: Sendable {
  package enum Effect: Sendable {
    case shadow, highlight
  }

  package let effect: Effect
  /// The strength of the effect is the last component, 0...1.
  package let texture: Texture
  /// Map from texture coordinates to image 1.
  package var placement: Homography
  /// Map from image 1 to image 2.
  package var motion: Homography

  fileprivate func fall(on colors: UnsafeMutableBufferPointer<SIMD4<Float>>, height: Int, width: Int, at time: Double) {
    ProjectedLayer(texture, at: motion.scaled(by: time).after(placement)).visit(height: height, width: width) { pixel, value, _ in
      guard value.w > 0 else { return }
      switch effect {
      case .shadow: colors[pixel] *= 1 - value.w
      case .highlight: colors[pixel] += (SIMD4(repeating: 255) - colors[pixel]) * value.w
      }
    }
  }
}
