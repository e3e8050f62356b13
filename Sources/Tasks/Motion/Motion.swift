import Base
import Models
import Networks
import Tensors
import Training

/// Motion prediction: where the box of a track goes next, by a recurrent network over its displacements.
public enum Motion: LearningTask {
  public typealias TaskTraining = MotionTraining

  public static func model(_ config: MotionConfig) -> MotionLSTM {
    var random = Random(seed: UInt64(config.plan.seed), stream: .initialization)
    return MotionLSTM(config.model, &random)
  }

  public static func modelTitle(_ config: MotionConfig) -> String { "LSTM of \(config.model.hidden) units" }

  // MARK: Costs

  /// A piece of a track as a picture of one row.
  public static func inputShape(_ config: MotionConfig) -> InputShape {
    InputShape(samples: config.train.batchSize, height: 1, width: config.window.history)
  }

  public static func inputSizes(_ model: MotionLSTM) -> (least: Int, step: Int) { (1, 1) }

  public static func pass(_ model: MotionLSTM, _ config: MotionConfig, _ shape: InputShape, _ mode: PassMode) -> Tensor {
    let length = shape.height * shape.width
    let steps = Tensor.zeros([shape.samples, length, 4])
    let outputs = model(steps, isKnown: .zeros([shape.samples, length]), Pass(mode == .training ? .training : .evaluation))
    return mode == .training ? smoothL1Loss(outputs, steps) : outputs
  }

  // MARK: Words

  public static let help = {
    var help = TaskHelp(title: "motion of tracked boxes")
    help.examples = ["apus train configs/tracking/motion-demo.yaml --resume auto"]
    help.train = """
      Motion of tracked boxes: data.root is a folder of sequences in MOT layout, of which only the ground truth is read; misses and jitter
      (noise) are laid over it.

      Example:
        apus train configs/tracking/motion-demo.yaml --set noise.miss_rate=0.2
      """
    help.evaluate = """
      Motion of tracked boxes: IoU and the distance of the centres 1, 5 and 10 frames ahead, beside constant velocity and a Kalman filter.

      Example:
        apus evaluate configs/tracking/motion-demo.yaml --weights work_dirs/motion-demo/RUN
      """
    help.parity = """
      Motion of tracked boxes reads steps [n, t, 4], known [n, t] (0: the network's own prediction takes its place) and target [n, t, 4];
      it writes output.next [n, t, 4] and loss.total.

      Example:
        apus parity configs/tracking/motion-demo.yaml --weights w.safetensors --inputs i.safetensors --out o.safetensors --steps 3
      """
    help.parityInputs = "Inputs are steps, known and target."
    return help
  }()
}

extension Motion: ParityTask {
  /// The pieces of a parity file.
  public struct Inputs {
    let steps: Tensor
    let isKnown: Tensor
    let targets: Tensor
  }

  /// Reads `steps` `[n, t, 4]`, `known` `[n, t]` and `target` `[n, t, 4]`.
  public static func inputs(_ file: ParityInputs, _ model: MotionLSTM) throws -> Inputs {
    let steps = try file.tensor("steps", "[n, t, 4]") { $0.count == 3 && $0[2] == 4 && $0[1] > 0 }
    let (n, length) = (steps.shape[0], steps.shape[1])
    return Inputs(
      steps: steps, isKnown: try file.tensor("known", shape: [n, length]), targets: try file.tensor("target", shape: [n, length, 4]))
  }

  public static func phases(_ model: MotionLSTM, _ config: MotionConfig, _ inputs: Inputs) throws -> [ParityPhase] {
    let learner = try Learner(MotionTraining.learners(config, model)[0], steps: config.plan.steps)
    return [ParityPhase(learner: learner) {
      let next = model(inputs.steps, isKnown: inputs.isKnown, Pass(.training))
      return ParityPass(outputs: [("next", next)], losses: [("total", smoothL1Loss(next, inputs.targets, beta: config.loss.beta))])
    }]
  }
}
