import Base
import Models
import Networks
import Tensors
import Training
import WeightFiles

extension OpticalFlow {
  /// Reads `image1`, `image2` `[n, 3, h, w]` (0...255), `flow` `[n, 2, h, w]` and `valid` `[n, h, w]`; writes `output.flow.<i>`,
  /// `loss.total` and `grad.<name>` (before clipping), and after the steps `param.<name>` and `buffer.<name>`.
  public static func parity(_ config: OpticalFlowConfig, _ request: ParityRequest) throws {
    guard request.steps >= 0 else { throw Failure(.usage, at: "--steps", "\(request.steps) is out of range, expected 0 or more") }
    let model = model(config)
    model.convert(to: request.precision)
    try load(request.weights, into: model)
    try freeze(model, config.learning.freeze)
    let inputs = try FlowInputs(Safetensors(at: request.inputs), request.inputs, request.precision, minimum: model.minimumSize)
    let optimizer = try AdamW(model.parameters(), config.optimizer, groups: config.learning.groups)
    var entries: [Safetensors.Entry] = []
    for step in 0..<max(request.steps, 1) {
      let pass = Pass(.training, frozenNormalization: config.learning.freezeBatchNorm)
      let flows = model(inputs.image1, inputs.image2, iterations: config.learning.iterations, pass).flows
      let loss = RAFT.sequenceLoss(
        flows, target: inputs.flow, valid: inputs.valid, gamma: config.learning.gamma, maxFlow: config.learning.maxFlow)
      let gradients = loss.gradients()
      if step == 0 {
        entries += flows.enumerated().map { .init("output.flow.\($0)", $1.detached().transposed([0, 3, 1, 2])) }
        entries.append(.init("loss.total", loss.detached()))
        entries += model.parameters().compactMap { name, parameter in
          gradients[parameter].map { .init("grad.\(name)", parameter.layout.official($0)) }
        }
      }
      guard request.steps > 0 else { break }
      let clipped = try clip(gradients, of: optimizer.parameters, to: config.learning.clipNorm)
      optimizer.step(gradients, learningRate: config.rate(at: step), scale: clipped.scale)
    }
    if request.steps > 0 {
      entries += model.parameters().map { .init("param.\($0)", $1.layout.official($1.value)) }
      entries += model.buffers().map { .init("buffer.\($0)", $1.layout.official($1.value)) }
    }
    try Safetensors(entries).write(to: request.out)
  }
}

/// The tensors of a parity file, checked, channels last.
private struct FlowInputs {
  let image1, image2, flow, valid: Tensor

  init(_ file: Safetensors, _ path: String, _ precision: Precision, minimum: Int) throws {
    func tensor(_ name: String, _ expected: String, _ fits: ([Int]) -> Bool) throws -> Tensor {
      guard let entry = file[name] else {
        throw Failure(.badData, at: path, "there is no tensor '\(name)'; found \(file.entries.prefix(8).map(\.name).joined(separator: ", "))"
          + (file.entries.count > 8 ? ", ... (\(file.entries.count) in all)" : ""), remedy: "Inputs are image1, image2, flow and valid.")
      }
      let tensor = entry.tensor ?? Tensor((entry.integers ?? []).map(Double.init), shape: entry.shape, precision: precision)
      guard fits(tensor.shape) else { throw Failure(.badData, at: "\(path): \(name)", "expected shape \(expected), found \(tensor.shape)") }
      return tensor.converted(to: precision)
    }
    let image1 = try tensor("image1", "[n, 3, h, w], h and w multiples of \(RAFT.stride) and at least \(minimum)") { shape in
      shape.count == 4 && shape[1] == 3 && shape[2...].allSatisfy { $0 % RAFT.stride == 0 && $0 >= minimum }
    }
    let (n, h, w) = (image1.shape[0], image1.shape[2], image1.shape[3])
    let order = [0, 2, 3, 1]
    image2 = try tensor("image2", "\(image1.shape)") { $0 == [n, 3, h, w] }.transposed(order)
    flow = try tensor("flow", "\([n, 2, h, w])") { $0 == [n, 2, h, w] }.transposed(order)
    valid = try tensor("valid", "\([n, h, w])") { $0 == [n, h, w] }.reshaped(to: [n, h, w, 1])
    self.image1 = image1.transposed(order)
  }
}
