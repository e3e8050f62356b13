import Base
import Foundation
import Vision

/// Synthetic sequences with exact truth for multi-object tracking: persons who walk, stop, turn, cross, leave and come back, hidden
/// by one another and by things, before a camera that moves.
///
/// Each person has clothes of its own, by which it can be told again. The truth has the whole box of a person, hidden parts and what lies
/// outside of the frame included, and the share of its pixels that is seen. Beside it stand detections as of a detector that misses, errs
/// and is not exact. A sequence is a pure function of the settings, the seed and its index.
///
/// - Source: surfaces, light and camera are those of `FlowSynthesis`; what is annotated and how is as in MOT17.
public struct TrackingSynthesis: Codable, Sendable, Equatable, ImageSynthesis {
  /// Rows and columns of the images, px.
  public var height = 360
  public var width = 640
  /// Of a sequence.
  public var frames = 120
  /// Frames a second.
  public var frameRate = 25.0

  /// Persons of a sequence: uniform in this range; not all are in the picture at the same time.
  public var fewestFigures = 8
  public var mostFigures = 16
  /// Height of a person at the lower edge as a part of the image's; farther ones are smaller, down to about a half.
  public var size = 0.55
  /// Mean walking speed, heights of a person a second.
  public var speed = 0.8
  /// How often a walking person stops for a while, and how often it turns round: times a minute.
  public var stops = 6.0
  public var turns = 3.0
  /// Share of persons, 0...1, who come back when they have left the picture, and how long they stay away: up to so many frames.
  public var returnShare = 0.7
  public var absence = 40
  /// 0: everyone has clothes of its own; 1: all wear the same.
  public var similarity = 0.0

  /// Things before persons: pillars, walls, bushes.
  public var occluders = 2
  /// Frames for which such a thing hides a person of mean speed altogether.
  public var occlusionLength = 12.0
  /// Things and persons who never move, which do not count.
  public var distractors = 1
  /// Largest speed of the camera's turn, px a frame, and the standard deviation of its shaking, px.
  public var cameraMotion = 2.0
  public var shake = 0.4

  /// Share of boxes, 0...1, of well-seen persons that the detector misses, and how long it does so: frames on average.
  public var missRate = 0.08
  public var missLength = 2.0
  /// Persons of which less than this share is seen are never detected, and those of twice as much as often as all others.
  public var leastVisibleShare = 0.25
  /// False boxes a frame, on average.
  public var falseRate = 0.3
  /// Standard deviation of a box's place and size as a part of its size.
  public var jitter = 0.03

  /// Cameras and pictures of each person under each of them, of a set of identities.
  public var cameras = 4
  public var shots = 4
  /// How different the cameras' light and tones are: standard deviation of the logarithm of gamma, contrast and gain.
  public var lighting = 0.2

  /// Share of backgrounds, 0...1, that are full of edges and patterns.
  public var clutter = 0.5
  /// Share of backgrounds, 0...1, with a horizon and a sky above it.
  public var skyShare = 0.5
  /// Largest standard deviation of sensor noise, grey levels of 255.
  public var noise = 4.0
  /// Largest standard deviation of the lens blur, px.
  public var blur = 0.5
  public var images = DetectionSynthesis.ImageForm.jpeg
  /// Of JPEG files, 1...100.
  public var quality = 90

  public init() {}

  public func problems() -> [ConfigProblem] {
    var problems = sizeProblems
    func require(_ condition: Bool, _ key: String, _ value: some Any, _ allowed: String) {
      problems.require(condition, key, value, allowed)
    }
    require((1...9999).contains(frames), "frames", frames, "1 to 9999")
    require((1...1000).contains(frameRate), "frame_rate", frameRate, "1 to 1000")
    require((0...500).contains(fewestFigures), "fewest_figures", fewestFigures, "0 to 500")
    require(mostFigures >= fewestFigures && mostFigures <= 500, "most_figures", mostFigures, "fewest_figures (\(fewestFigures)) to 500")
    require((0.05...2).contains(size), "size", size, "0.05 to 2")
    require((0...20).contains(speed), "speed", speed, "0 to 20 heights a second")
    require((0...600).contains(stops), "stops", stops, "0 to 600 a minute")
    require((0...600).contains(turns), "turns", turns, "0 to 600 a minute")
    require((0...9999).contains(absence), "absence", absence, "0 to 9999 frames")
    require((0...100).contains(occluders), "occluders", occluders, "0 to 100")
    require((0...1000).contains(occlusionLength), "occlusion_length", occlusionLength, "0 to 1000 frames")
    require((0...100).contains(distractors), "distractors", distractors, "0 to 100")
    require((0...100).contains(cameraMotion), "camera_motion", cameraMotion, "0 to 100 px a frame")
    require((0...20).contains(shake), "shake", shake, "0 to 20 px")
    require((1...1000).contains(missLength), "miss_length", missLength, "1 to 1000 frames")
    require((0...100).contains(falseRate), "false_rate", falseRate, "0 to 100 boxes a frame")
    require((0...0.5).contains(jitter), "jitter", jitter, "0 to 0.5")
    require((0...0.95).contains(missRate), "miss_rate", missRate, "0 to 0.95")
    require((1...9).contains(cameras), "cameras", cameras, "1 to 9")
    require((1...99).contains(shots), "shots", shots, "1 to 99")
    require((0...0.5).contains(lighting), "lighting", lighting, "0 to 0.5")
    let shares = [("return_share", returnShare), ("similarity", similarity), ("least_visible_share", leastVisibleShare),
                  ("clutter", clutter), ("sky_share", skyShare)]
    for (key, share) in shares { require((0...1).contains(share), key, share, "0 to 1") }
    return problems + pictureProblems
  }

  /// The background, which is that of detection scenes.
  var backdrop: DetectionSynthesis {
    var scene = DetectionSynthesis()
    scene.height = height
    scene.width = width
    scene.clutter = clutter
    scene.skyShare = skyShare
    return scene
  }

  /// A sequence with its truth, which is rendered frame by frame.
  /// - Parameters:
  ///   - index: of the sequence, 0 or more.
  ///   - seed: of the data set.
  public func sequence(index: Int, seed: UInt64) -> TrackingScene { TrackingScene(self, index: index, seed: seed) }
}
