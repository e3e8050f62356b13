import Vision

/// A generated scene over several frames, rendered, with its exact flow.
struct RenderedSequence {
  private let scenes: [FlowScene]
  /// The frames without motion blur, and those with the scene's own shutter time.
  private let frames: [FlowScene.Frame]
  private let blurredFrames: [FlowScene.Frame]
  private let cameras: [CameraModel]
  private let synthesis: FlowSynthesis
  private let index: Int
  private let seed: UInt64

  /// - Parameters:
  ///   - index: of the scene in the set.
  ///   - count: frames, at least one.
  init(_ synthesis: FlowSynthesis, index: Int, seed: UInt64, frames count: Int) {
    self.synthesis = synthesis
    self.index = index
    self.seed = seed
    scenes = synthesis.scene(index: index, seed: seed).film(frames: count)
    frames = scenes.map { scene in
      var scene = scene
      scene.shutter = 0
      return scene.render(second: false)
    }
    blurredFrames = scenes.first?.shutter == 0 ? frames : scenes.map { $0.render(second: false) }
    cameras = synthesis.cameras(index: index, seed: seed, frames: count)
  }

  /// Sintel's clean pass: even light, no blur, no noise.
  func clean(_ frame: Int) -> Image { develop(frames[frame], frame, CameraModel()) }

  /// Sintel's final pass, the scene through a camera: blur, noise, a light that changes a little, a tone curve and maybe a JPEG file.
  func final(_ frame: Int) -> Image { develop(blurredFrames[frame], frame, cameras[frame]) }

  private func develop(_ picture: FlowScene.Frame, _ frame: Int, _ camera: CameraModel) -> Image {
    camera.develop(picture.colors, height: synthesis.height, width: synthesis.width, synthesis.source(.noise, frame + 1, index, seed))
  }

  /// The flow from a frame to the next one; from the last one to where it would go on.
  func flow(_ frame: Int) -> FlowField { field(scenes[frame].flow(owners: frames[frame].owners)) }

  /// The flow from a frame to the one before.
  func pastFlow(_ frame: Int) -> FlowField { field(scenes[frame].reversed().flow(owners: frames[frame].owners)) }

  private func field(_ vectors: [Float]) -> FlowField { FlowField(height: synthesis.height, width: synthesis.width, vectors: vectors) }

  /// Occlusion: a flag for each pixel of a frame, true where the next frame does not show it.
  func occlusion(_ frame: Int) -> [Bool] { scenes[frame].occlusion(owners: frames[frame].owners) }

  /// A mask of a frame's size as an image, white where it is set; `nil`: nowhere.
  func image(mask: [Bool]?) -> Image {
    let (height, width) = (synthesis.height, synthesis.width)
    return Image(mask: mask ?? Array(repeating: false, count: height * width), height: height, width: width)
  }

  /// Sparse flow, as from a laser scanner: unknown in the upper rows, where the sky would be, and in holes everywhere.
  /// - Parameters:
  ///   - sky: share of the rows without flow, 0...1.
  ///   - holes: share of the other pixels without flow, 0...1.
  ///   - nonOccludedOnly: true leaves out occluded pixels too (KITTI's `flow_noc`).
  func sparseFlow(_ frame: Int, sky: Double, holes: Double, nonOccludedOnly: Bool) -> FlowField {
    var flow = flow(frame)
    var random = synthesis.source(.synthesis, -100 - frame, index, seed)
    let skyRows = Int((sky * Double(flow.height)).rounded())
    let hidden = nonOccludedOnly ? occlusion(frame) : []
    for i in flow.isValid.indices {
      let isHole = random.chance(holes)
      if i / flow.width < skyRows || isHole || (nonOccludedOnly && hidden[i]) { flow.isValid[i] = false }
    }
    return flow
  }
}
