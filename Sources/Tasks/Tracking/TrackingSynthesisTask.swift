import Base
import Synthesis
import Training

/// `apus synth tracking`: sequences of walking persons with exact identities, and pictures of single persons.
public enum TrackingSynthesisTask: SynthTask {
  public static let defaults = TrackingSynthesis()
  public static let defaultLayout = TrackingLayout.mot17

  public static let help = """
    tracking: sequences of walking persons, each in clothes of its own, who stop, turn, cross, leave, come back and are hidden by one
    another and by things, before a camera that moves; in the layout of MOT17: train/synth-0001/{img1, gt/gt.txt, det/det.txt,
    seqinfo.ini} and val/..., with visibility and classes, and detections that miss, err and are not exact. Images have
    \(defaults.width)x\(defaults.height) pixels; --count is the number of sequences, --frames (\(defaults.frames)) their length.
    Settings (--set): fewest_figures, most_figures, size, speed (heights a second), stops, turns (a minute), return_share, absence
    (frames), similarity of clothes (0 to 1), occluders, occlusion_length (frames), distractors, camera_motion (px a frame), shake,
    frame_rate; of the detector miss_rate, miss_length, least_visible_share, false_rate, jitter.
    With --layout market1501 --count persons are pictured one by one, as in Market-1501: bounding_box_train, query, bounding_box_test,
    with cameras and shots of each, and how different the cameras' lighting is; --validation is the share of persons for the test.

    Examples:
      apus synth tracking --out data/walkers --count 8 --seed 1 --set most_figures=30
      apus synth tracking --layout market1501 --out data/persons --count 300 --validation 0.3 --seed 1
    """

  public static func noun(_ layout: TrackingLayout, frames: Int) -> String {
    switch layout {
    case .mot17: "sequences of \(frames) frames"
    case .market1501: "persons in pictures"
    }
  }

  public static func frames(_ settings: TrackingSynthesis) -> Int { settings.frames }

  public static func size(_ settings: TrackingSynthesis, _ layout: TrackingLayout) -> (height: Int, width: Int) {
    switch layout {
    case .mot17: (settings.height, settings.width)
    case .market1501: TrackingSynthesis.pictureSize
    }
  }

  public static func write(
    _ settings: TrackingSynthesis, _ layout: TrackingLayout, _ request: SynthRequest, progress: @escaping @Sendable (_ done: Int) -> Void
  ) throws {
    let seed = UInt64(request.seed)
    switch layout {
    case .mot17:
      var settings = settings
      settings.frames = request.frames ?? settings.frames
      try settings.writeSequences(
        count: request.count, seed: seed, heldOutShare: request.validationShare, to: request.out, progress: progress)
    case .market1501:
      try settings.writeIdentities(
        count: request.count, seed: seed, heldOutShare: request.validationShare, to: request.out, progress: progress)
    }
  }
}

extension TrackingSynthesis: SynthSettings {}
