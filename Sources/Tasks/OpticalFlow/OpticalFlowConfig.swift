import Base
import Data
import Models
import Networks
import Tensors
import Training

/// The config of optical flow training; its defaults are RAFT-small on FlyingChairs.
public struct OpticalFlowConfig: OptimizedConfig, ValidatedConfig {
  public var task = TaskName.opticalFlow
  public var model = RAFT.Config(variant: .small)
  public var initialize = Initialization()
  /// The training and the validation data.
  public var data = FlowData()
  public var validation = FlowData(split: .validation)
  public var augmentation = FlowAugmentation.chairs
  public var train = FlowTrainSettings()
  public var loss = FlowLossSettings()
  public var optimizer = OptimizerConfig(.adamw, learningRate: 4e-4, weightDecay: 1e-4, clipNorm: 1)
  public var schedule = Schedule(.oneCycle)
  public var inference = FlowInferenceSettings()
  public var prediction = FlowPrediction()
  public var plan = Plan()

  public init() {
    schedule.paddingSteps = 100  // as the authors' script plans it
  }

  /// The weights of one network go through all stages.
  public static let fixedSections: Set = ["task", "model", "prediction"]

  public static let renamedKeys = [
    "recipe": "task",
    "learning.batch_size": "train.batch_size", "learning.workers": "train.workers", "learning.iterations": "train.iterations",
    "learning.freeze_batch_norm": "train.freeze_batch_norm", "learning.add_noise": "train.add_noise",
    "learning.gamma": "loss.gamma", "learning.max_flow": "loss.max_flow",
    "learning.validation_iterations": "inference.iterations", "learning.padding": "inference.padding",
    "learning.learning_rate": "optimizer.learning_rate", "learning.clip_norm": "optimizer.clip_norm", "learning.freeze": "optimizer.freeze",
    "learning.parameter_rules": "optimizer.groups", "optimizer.groups.pattern": "optimizer.groups.match",
    "optimizer.groups.rate_factor": "optimizer.groups.lr_mult", "optimizer.groups.decay_factor": "optimizer.groups.decay_mult",
    "schedule.extra_steps": "schedule.padding_steps", "schedule.rise_fraction": "schedule.pct_start",
    "schedule.start_divisor": "schedule.div_factor", "schedule.final_divisor": "schedule.final_div_factor",
    "model.weights": "model.weight_tying", "*.visible_only": "non_occluded_only",
  ]

  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    let least = model.minimumSize
    let most = 65_536
    for (key, length) in [("crop_height", augmentation.cropHeight), ("crop_width", augmentation.cropWidth)] {
      problems.require(length % 8 == 0 && (least...most).contains(length), "augmentation.\(key)", length,
                       "a multiple of 8, at " + (length > most ? "most \(most)" : "least \(least)"))
    }
    return problems + model.problems(iterations: train.iterations, inferenceIterations: inference.iterations)
      .map { ConfigProblem("model.\($0.key)", $0.value, allowed: $0.allowed) }
  }
}
