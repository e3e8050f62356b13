import Base
import Data
import Synthesis
import Training

/// `apus synth flow`: image pairs and scenes with exact optical flow.
public enum FlowSynthesisTask: SynthTask {
  public static let defaults = FlowSynthesis()
  public static let defaultLayout = FlowLayout.flyingChairs

  public static let help = """
    flow: image pairs and scenes with optical flow, in the layouts of the public data sets: flying_chairs (the default), flying_things,
    sintel, kitti or hd1k, of \(defaults.width)x\(defaults.height) pixels. Flat shapes over a moving plane, bending surfaces, and the
    view from a car, under changing light. --count is the number of pairs (flying_chairs, kitti) or scenes; --validation sets apart a
    validation set (flying_chairs), TEST (flying_things), or what has no truth (sintel, kitti). Settings (--set): shares of kinds and
    effects such as driving_share, gentle_share, thin_share, deforming_share, fog_share, motion_blur_share; sizes and strengths such as
    most_objects, largest_radius, maximum_motion, noise, blur.

    Example:
      apus synth flow --out data/flow --count 400 --seed 1
      apus synth flow --layout sintel --out data/scenes --count 20 --frames 10 --seed 1
    """

  public static func noun(_ layout: FlowLayout, frames: Int) -> String {
    [.flyingChairs, .kitti].contains(layout) ? "pairs" : "scenes of \(frames) frames"
  }

  public static func write(
    _ settings: FlowSynthesis, _ layout: FlowLayout, _ request: SynthRequest, progress: @escaping @Sendable (_ done: Int) -> Void
  ) throws {
    try settings.write(layout, count: request.count, frames: request.frames ?? frames(settings), seed: UInt64(request.seed),
                       heldOutShare: request.validationShare, to: request.out, progress: progress)
  }
}

extension FlowSynthesis: SynthSettings {}
