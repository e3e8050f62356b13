import Base
import Training

/// The tasks by the name that stands in a config under `task`.
public enum TaskName: String, ConfigChoice {
  case opticalFlow, detection, segmentation, pose, inpainting, appearance, motion, affinity, tracking

  /// The compiler is the registry: a new task is a new case here.
  public var task: any ConfiguredTask.Type {
    switch self {
    case .opticalFlow: OpticalFlow.self
    case .detection: Detection.self
    case .segmentation: Segmentation.self
    case .pose: Pose.self
    case .inpainting: Inpainting.self
    case .appearance: Appearance.self
    case .motion: Motion.self
    case .affinity: Matching.self
    case .tracking: Tracking.self
    }
  }

  /// The words of the task in the command line's help.
  public var help: TaskHelp { task.help }

  /// The task that a config file names.
  /// - Throws: `.usage` if it names none, or one that is not known.
  public static func named(in path: String, overrides: [ConfigOverride]) throws -> TaskName {
    try ConfigLayers.choice("task", formerly: "recipe", of: TaskName.self, in: path, overrides: overrides)
  }
}

/// The generators by their name on the command line.
public enum SynthName: String, ConfigChoice {
  case flow, detection, segmentation, pose, inpainting, tracking

  /// The compiler is the registry: a new generator is a new case here.
  public var task: any SynthTask.Type {
    switch self {
    case .flow: FlowSynthesisTask.self
    case .detection: DetectionSynthesisTask.self
    case .segmentation: SegmentationSynthesisTask.self
    case .pose: PoseSynthesisTask.self
    case .inpainting: InpaintingSynthesisTask.self
    case .tracking: TrackingSynthesisTask.self
    }
  }
}

extension SynthName {
  /// The generator's paragraph in `apus synth --help`.
  public var help: String { task.help }
}
