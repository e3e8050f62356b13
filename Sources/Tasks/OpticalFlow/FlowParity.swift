import Base
import Models
import Networks
import Tensors
import Training

extension OpticalFlow: ParityTask {
  /// The tensors of a parity file, channels last.
  public struct Inputs {
    let image1: Tensor
    let image2: Tensor
    let flow: Tensor
    let valid: Tensor
  }

  /// Reads `image1`, `image2` `[n, 3, h, w]` (0...255), `flow` `[n, 2, h, w]` and `valid` `[n, h, w]`.
  public static func inputs(_ file: ParityInputs, _ model: RAFT) throws -> Inputs {
    let minimum = model.minimumSize
    let image1 = try file.tensor("image1", "[n, 3, h, w], h and w multiples of \(RAFT.stride) and at least \(minimum)") { shape in
      shape.count == 4 && shape[1] == 3 && shape[2...].allSatisfy { $0 % RAFT.stride == 0 && $0 >= minimum }
    }
    let (n, _, h, w) = image1.shape4
    let order = [0, 2, 3, 1]
    return Inputs(
      image1: image1.transposed(order), image2: try file.tensor("image2", shape: [n, 3, h, w]).transposed(order),
      flow: try file.tensor("flow", shape: [n, 2, h, w]).transposed(order),
      valid: try file.tensor("valid", shape: [n, h, w]).reshaped(to: [n, h, w, 1]))
  }

  /// Writes `output.flow.<i>` and `loss.total`.
  public static func phases(_ model: RAFT, _ config: OpticalFlowConfig, _ inputs: Inputs) throws -> [ParityPhase] {
    let learner = try Learner(FlowTraining.learners(config, model)[0], steps: config.plan.steps)
    let phase = ParityPhase(learner: learner) {
      let pass = Pass(.training, frozenNormalization: config.train.freezeBatchNorm, dropout: false)
      let flows = model(inputs.image1, inputs.image2, iterations: config.train.iterations, pass).flows
      let loss = RAFT.sequenceLoss(flows, target: inputs.flow, valid: inputs.valid, gamma: config.loss.gamma, maxFlow: config.loss.maxFlow)
      return ParityPass(outputs: flows.enumerated().map { ("flow.\($0)", $1.transposed([0, 3, 1, 2])) }, losses: [("total", loss)])
    }
    return [phase]
  }
}
