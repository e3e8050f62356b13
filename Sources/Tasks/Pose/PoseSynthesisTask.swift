import Base
import Synthesis
import Training

/// `apus synth pose`: articulated figures with exact keypoints.
public enum PoseSynthesisTask: SynthTask {
  public static let defaults = PoseSynthesis()
  public static let defaultLayout = PoseLayout.coco

  public static let help = """
    pose: images of articulated figures with textured clothes, which hide one another and stand behind things, in the layout of COCO
    keypoints: train/, val/ and annotations/person_keypoints_train.json, person_keypoints_val.json with 17 keypoints (2 visible, 1 hidden,
    0 outside the picture), boxes and areas of what is seen. Images have \(defaults.width)x\(defaults.height) pixels unless --width and
    --height say otherwise; --count is their number, those of val included. Settings (--set): fewest_people, most_people, smallest_size,
    largest_size, liveliness, rotation (degrees), occluders, least_visible_share, images (jpeg or png); clutter, shadow, noise for how hard
    it is.

    Example:
      apus synth pose --out data/figures --count 4000 --seed 1
    """

  public static func noun(_ layout: PoseLayout, frames: Int) -> String { "images" }

  public static func write(
    _ settings: PoseSynthesis, _ layout: PoseLayout, _ request: SynthRequest, progress: @escaping @Sendable (_ done: Int) -> Void
  ) throws {
    try settings.write(count: request.count, seed: UInt64(request.seed), heldOutShare: request.validationShare, to: request.out,
                       progress: progress)
  }
}

extension PoseSynthesis: SynthSettings {}
