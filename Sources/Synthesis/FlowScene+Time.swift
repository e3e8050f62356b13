import Vision

/// Scenes of more than two frames: every layer repeats its motion from frame to frame.
extension FlowScene {
  /// The scene at the beginning, and as it is at each further frame.
  ///
  /// Surfaces keep their form: bending further in every frame, they would fold.
  package func film(frames: Int) -> [FlowScene] {
    var scene = self
    var scenes: [FlowScene] = []
    for index in layers.indices { scene.layers[index].deformation = nil }
    for _ in 0..<frames {
      scenes.append(scene)
      for (index, layer) in scene.layers.enumerated() { scene.layers[index].placement = layer.motion.after(layer.placement) }
      for (index, light) in scene.lights.enumerated() { scene.lights[index].placement = light.motion.after(light.placement) }
    }
    return scenes
  }

  /// This frame with time reversed: its flow leads to the frame before.
  package func reversed() -> FlowScene {
    var scene = self
    for (index, layer) in layers.enumerated() { scene.layers[index].motion = layer.motion.inverse }
    for (index, light) in lights.enumerated() { scene.lights[index].motion = light.motion.inverse }
    return scene
  }

  /// Occlusion: a flag for each pixel, row-major, true if its point is covered by a layer above its own in the next frame, or outside.
  ///
  /// The point is where the pixel's flow leads, taken as it is, not rounded to a pixel; a layer covers it where it is at least half opaque.
  /// - Parameter owners: the layer on top at each pixel of this frame.
  package func occlusion(owners: [Int16]) -> [Bool] {
    let flow = flow(owners: owners)
    let back = layers.map { $0.motion.after($0.placement).inverse }
    let bounds = SIMD2(Double(width), Double(height)) - 0.5
    return owners.indices.map { pixel in
      let p = SIMD2(Double(pixel % width) + Double(flow[2 * pixel]), Double(pixel / width) + Double(flow[2 * pixel + 1]))
      guard p.x >= -0.5, p.y >= -0.5, p.x < bounds.x, p.y < bounds.y else { return true }
      return layers.indices.dropFirst(Int(owners[pixel]) + 1).contains { layers[$0].opacity(at: back[$0].homogeneous(p)) >= 0.5 }
    }
  }
}

extension SceneLayer {
  /// The opacity at a point of the texture's own plane, 0...1; 0 beside it and behind the camera.
  fileprivate func opacity(at point: SIMD3<Double>) -> Float {
    guard point.z > 0 else { return 0 }
    return texture.value(at: SIMD2(Float(point.x / point.z), Float(point.y / point.z)), wraps: wraps)?.w ?? 0
  }
}
