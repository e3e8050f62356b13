import Vision

/// Scenes of more than two frames: every layer goes on with its motion from frame to frame.
extension FlowScene {
  /// The scene at the beginning, and as it is at each further frame.
  ///
  /// Every frame is made from the same properties of a layer (its texture, place, motion and shadow), so its pictures and its flow agree.
  package func film(frames: Int) -> [FlowScene] {
    var scene = mapLayers { $0.with(placement: $0.placement, motion: $0.motion) }, scenes: [FlowScene] = []
    for _ in 0..<frames {
      scenes.append(scene)
      scene = scene.mapLayers { $0.with(placement: $0.motion.after($0.placement), motion: $0.motion) }
    }
    return scenes
  }

  /// The same scene with time running backwards: its flow leads to the frame before.
  package func reversed() -> FlowScene { mapLayers { $0.with(placement: $0.placement, motion: $0.motion.inverse) } }

  private func mapLayers(_ change: (SceneLayer) -> SceneLayer) -> FlowScene {
    var scene = self
    scene.layers = layers.map(change)
    return scene
  }

  /// Which pixels are not to be seen in the next frame, row-major: their point is covered there by a layer above theirs, or lies outside.
  ///
  /// The point is where the pixel's flow leads, taken as it is, not rounded to a pixel; a layer covers it where it is at least half opaque.
  /// - Parameter owners: the layer on top at each pixel of this frame.
  package func occlusion(owners: [Int16]) -> [Bool] {
    let flow = flow(owners: owners), back = layers.map { $0.motion.after($0.placement).inverse }
    let bounds = SIMD2(Double(width), Double(height)) - 0.5
    return owners.indices.map { pixel in
      let p = SIMD2(Double(pixel % width) + Double(flow[2 * pixel]), Double(pixel / width) + Double(flow[2 * pixel + 1]))
      guard p.x >= -0.5, p.y >= -0.5, p.x < bounds.x, p.y < bounds.y else { return true }
      return layers.indices.dropFirst(Int(owners[pixel]) + 1).contains { layers[$0].opacity(at: back[$0](p)) >= 0.5 }
    }
  }
}

extension SceneLayer {
  fileprivate func with(placement: AffineMotion, motion: AffineMotion) -> SceneLayer {
    SceneLayer(texture: texture, wraps: wraps, placement: placement, motion: motion, shadow: shadow)
  }

  /// The opacity at a point of the texture's own plane, 0...1; 0 beside it.
  fileprivate func opacity(at point: SIMD2<Double>) -> Float {
    var opacity: Float = 0
    texture.forEach(from: SIMD2<Float>(point), step: SIMD2(0, 0), count: 1, wraps: wraps) { opacity = $1.w }
    return opacity
  }
}
