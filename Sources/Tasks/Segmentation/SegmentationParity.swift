import Base
import Models
import Networks
import Tensors
import Training

extension Segmentation: ParityTask {
  /// The tensors of a parity file.
  public struct Inputs {
    let images: Tensor
    let labels: [Int]
    let size: Extent
  }

  /// Reads `image` `[n, 3, h, w]`, normalised, and `label` `[n, h, w]`, in which 255 is ignored.
  public static func inputs(_ file: ParityInputs, _ model: HRNetSegmentation) throws -> Inputs {
    let image = try file.tensor("image", shape: [nil, 3, nil, nil])
    let (n, _, h, w) = image.shape4
    let labels = try file.tensor("label", shape: [n, h, w]).doubles
    let classes = model.config.classes
    if let bad = labels.first(where: { $0 != 255 && !((0..<Double(classes)).contains($0) && $0 == $0.rounded()) }) {
      throw Failure(.badData, at: file.path, "label has the value \(bad), expected 0 to \(classes - 1), or 255 (ignored)")
    }
    return Inputs(images: image.transposed([0, 2, 3, 1]), labels: labels.map { Int($0) }, size: Extent(height: h, width: w))
  }

  /// Writes `output.logits` and, with object context, `output.logits.aux`; `loss.total`, `loss.cross_entropy` and `loss.cross_entropy_aux`.
  public static func phases(_ model: HRNetSegmentation, _ config: SegmentationConfig, _ inputs: Inputs) throws -> [ParityPhase] {
    let learner = try Learner(SegmentationTraining.learners(config, model)[0], steps: config.plan.steps)
    return [ParityPhase(learner: learner) {
      let output = model(inputs.images, Pass(.training, dropout: false))
      let report = config.loss(output, inputs.labels, size: inputs.size, alignCorners: config.model.alignCorners)
      guard report.total.isRecorded else { throw Failure(.badData, at: "label", "no pixel counts: there is no gradient") }
      let order = [0, 3, 1, 2]
      let outputs = [("logits", output.logits)] + (output.aux.map { [("logits.aux", $0)] } ?? [])
      return ParityPass(outputs: outputs.map { ($0.0, $0.1.transposed(order)) }, losses: [("total", report.total)] + report.terms)
    }]
  }
}
