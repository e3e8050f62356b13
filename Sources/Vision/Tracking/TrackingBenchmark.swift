import Base

/// The classes of the ground truth of MOT16, MOT17 and MOT20; raw values are those of the files.
public enum TrackingClass: Int, Sendable, CaseIterable {
  case pedestrian = 1
  case personOnVehicle
  case car
  case bicycle
  case motorbike
  case nonMotorizedVehicle
  case staticPerson
  case distractor
  case occluder
  case occluderOnGround
  case occluderFull
  case reflection
  case crowd
}

/// A tracking benchmark by its rules: which ground truth counts, and which hypotheses are excused.
public enum TrackingBenchmark: String, ConfigChoice {
  /// MOT15 (2DMOT2015): one class; every hypothesis counts.
  case mot15
  case mot16
  case mot17
  /// MOT20, and the challenge of CVPR 2019 with the same sequences: non-motorised vehicles are distractors, too.
  case mot20

  /// Whether the ground truth has classes.
  public var hasClasses: Bool { self != .mot15 }

  /// Classes whose boxes a tracker may report or not: a hypothesis on one of them is removed before anything is counted.
  /// - Source: `mot_challenge_2d_box.py` of TrackEval; py-motmetrics does not know the class that MOT20 adds.
  public func distractors(_ rule: TrackingRule) -> Set<TrackingClass> {
    switch self {
    case .mot15: []
    case .mot20 where rule == .official: [.personOnVehicle, .staticPerson, .distractor, .reflection, .nonMotorizedVehicle]
    case .mot16, .mot17, .mot20: [.personOnVehicle, .staticPerson, .distractor, .reflection]
    }
  }
}

/// How hypotheses are paired with the ground truth, and how tracks are counted.
public enum TrackingRule: String, ConfigChoice {
  /// TrackEval, the evaluation of the MOTChallenge.
  case official
  /// py-motmetrics 1.4.
  case pyMotmetrics = "py_motmetrics"

  /// Whether a hypothesis and a box of the ground truth may be paired: the IoU is 0.5 or more.
  func allows(_ iou: Double) -> Bool {
    switch self {
    case .official: iou >= 0.5 - .ulpOfOne
    case .pyMotmetrics: 1 - iou <= 0.5
    }
  }
}
