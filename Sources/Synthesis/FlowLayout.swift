import Base

/// The on-disk layouts in which generated scenes can be written: those of the public data sets.
public enum FlowLayout: String, ConfigChoice {
  /// Pairs with a split list.
  case flyingChairs = "flying_chairs"
  /// Scenes in TRAIN and TEST, two passes, flow both ways.
  case flyingThings = "flying_things"
  /// Scenes, two passes, occlusion masks; a test part without flow.
  case sintel
  /// Pairs with sparse flow; a testing part without.
  case kitti
  /// Sequences with sparse flow.
  case hd1k

  /// The number of frames in a scene: two where the layout has pairs.
  func frames(_ asked: Int) -> Int { [.flyingChairs, .kitti].contains(self) ? 2 : asked }

  /// Samples with truth in a scene of the training part, each pass and direction counted.
  public func samples(frames: Int) -> Int { (self.frames(frames) - 1) * (self == .flyingThings ? 4 : self == .sintel ? 2 : 1) }
}

/// One file of a generated scene: its path below the root, and its content.
struct SceneFile {
  enum Content {
    case clean(Int), final(Int)
    case flow(Int), pastFlow(Int)
    /// Sparse flow, as in KITTI and HD1K.
    case sparseFlow(Int, sky: Double, holes: Double, nonOccludedOnly: Bool)
    case occlusion(Int)
    /// Sintel's mask of pixels without trustworthy flow: empty, generated flow is exact.
    case invalid
  }

  let path: String
  let content: Content
}

extension FlowLayout {
  /// The files of one scene, folders in the layout's order. FlyingChairs has a writer of its own.
  /// - Parameters:
  ///   - number: of the scene, from 0.
  ///   - isHeldOut: true for scenes of TEST, `test` or `testing`; HD1K has no such part.
  func files(scene number: Int, frames: Int, isHeldOut: Bool) -> [SceneFile] {
    switch self {
    case .flyingChairs: []
    case .flyingThings: things("\(isHeldOut ? "TEST" : "TRAIN")/\(["A", "B", "C"][number % 3])/\((number / 3).padded(to: 4))", frames)
    case .sintel: sintel("scene_\((number + 1).padded(to: 4))", frames, isHeldOut)
    case .kitti: kitti(number.padded(to: 6), isHeldOut)
    case .hd1k: hd1k(number.padded(to: 6), frames)
    }
  }

  private func things(_ scene: String, _ frames: Int) -> [SceneFile] {
    (0..<frames).flatMap { frame in
      let name = (frame + 6).padded(to: 4)  // as in the original, whose scenes begin with frame 6
      return [
        SceneFile(path: "frames_cleanpass/\(scene)/left/\(name).png", content: .clean(frame)),
        SceneFile(path: "frames_finalpass/\(scene)/left/\(name).png", content: .final(frame)),
        SceneFile(path: "optical_flow/\(scene)/into_future/left/OpticalFlowIntoFuture_\(name)_L.pfm", content: .flow(frame)),
        SceneFile(path: "optical_flow/\(scene)/into_past/left/OpticalFlowIntoPast_\(name)_L.pfm", content: .pastFlow(frame)),
      ]
    }
  }

  private func sintel(_ scene: String, _ frames: Int, _ isHeldOut: Bool) -> [SceneFile] {
    let part = isHeldOut ? "test" : "training"
    return (0..<frames).flatMap { frame in
      let name = "\(scene)/frame_\((frame + 1).padded(to: 4))"
      let pictures = [SceneFile(path: "\(part)/clean/\(name).png", content: .clean(frame)),
                      SceneFile(path: "\(part)/final/\(name).png", content: .final(frame))]
      guard !isHeldOut, frame + 1 < frames else { return pictures }
      return pictures + [SceneFile(path: "\(part)/flow/\(name).flo", content: .flow(frame)),
                         SceneFile(path: "\(part)/occlusions/\(name).png", content: .occlusion(frame)),
                         SceneFile(path: "\(part)/invalid/\(name).png", content: .invalid)]
    }
  }

  private func kitti(_ pair: String, _ isHeldOut: Bool) -> [SceneFile] {
    let part = isHeldOut ? "testing" : "training"
    let frames = [0, 1].map { SceneFile(path: "\(part)/image_2/\(pair)_1\($0).png", content: .final($0)) }
    return isHeldOut ? frames : frames + [
      SceneFile(path: "\(part)/flow_occ/\(pair)_10.png", content: .sparseFlow(0, sky: 0.3, holes: 0.5, nonOccludedOnly: false)),
      SceneFile(path: "\(part)/flow_noc/\(pair)_10.png", content: .sparseFlow(0, sky: 0.3, holes: 0.5, nonOccludedOnly: true)),
    ]
  }

  private func hd1k(_ sequence: String, _ frames: Int) -> [SceneFile] {
    (0..<frames).flatMap { frame in
      let name = "\(sequence)_\(frame.padded(to: 4)).png"
      return [SceneFile(path: "hd1k_input/image_2/\(name)", content: .final(frame)),
              SceneFile(path: "hd1k_flow_gt/flow_occ/\(name)", content: .sparseFlow(frame, sky: 0.2, holes: 0.2, nonOccludedOnly: false))]
    }
  }
}
