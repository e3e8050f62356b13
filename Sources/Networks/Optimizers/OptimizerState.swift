import Base
import Tensors
import WeightFiles

/// The running values that an optimiser keeps beside each parameter, as they go into checkpoints and come back.
struct OptimizerState {
  /// The optimiser's name, as a check that a checkpoint belongs to it.
  let optimizer: String
  /// Tensors kept for each parameter: `exp_avg` is stored as `exp_avg.<name of the parameter>`.
  let slots: [String]
  /// A further slot of files that is not needed.
  var unused: String?
  let parameters: [TrainedParameter]

  /// More updates than any run makes: a larger count is damage, and must not overflow later.
  static let mostSteps = 1 << 53

  /// One zero tensor for each parameter.
  static func zeros(_ parameters: [TrainedParameter]) -> [Tensor] {
    parameters.map { .zeros($0.parameter.shape, $0.parameter.precision) }
  }

  /// - Parameters:
  ///   - values: one array of tensors for each slot, in the order of the parameters.
  ///   - skipped: steps that each parameter did not take part in, if that matters.
  func saved(_ values: [[Tensor]], step: Int, skipped: [Int] = []) -> Safetensors {
    let entries = zip(slots, values).flatMap { slot, tensors in
      zip(parameters, tensors).map { Safetensors.Entry("\(slot).\($0.name)", $1) }
    }
    var metadata = ["optimizer": optimizer, "step": String(step)]
    if skipped.contains(where: { $0 > 0 }) { metadata["skipped"] = skipped.map(String.init).joined(separator: ",") }
    return Safetensors(entries, metadata: metadata)
  }

  /// The steps that each parameter did not take part in; none if the state does not speak of them.
  func skipped(_ state: Safetensors, steps: Int, from origin: String) throws -> [Int] {
    guard let text = state.metadata["skipped"] else { return Array(repeating: 0, count: parameters.count) }
    let counts = text.split(separator: ",").compactMap { Int($0) }
    guard counts.count == parameters.count, counts.allSatisfy((0...steps).contains) else {
      throw Failure(.badData, at: origin, "the optimiser's count of skipped steps does not fit the network: '\(text.prefix(40))'")
    }
    return counts
  }

  /// The values and the number of updates of a saved state.
  func restored(_ state: Safetensors, from origin: String) throws -> (values: [[Tensor]], step: Int) {
    guard state.metadata["optimizer"] == optimizer, let step = state.metadata["step"].flatMap({ Int($0) }),
          (0...Self.mostSteps).contains(step) else {
      throw Failure(.badData, at: origin,
        "expected the state of the optimiser '\(optimizer)', found '\(state.metadata["optimizer"] ?? "none")' "
          + "at step '\(state.metadata["step"] ?? "none")'",
        remedy: "Resume with the optimiser of the checkpoint, or load its weights only.")
    }
    var problems: [String] = []
    let values = slots.map { slot in
      parameters.map { item -> Tensor in
        let tensor = state["\(slot).\(item.name)"]?.tensor
        let expected = item.parameter
        if let tensor, tensor.shape == expected.shape, tensor.precision == expected.precision { return tensor }
        problems.append("\(slot).\(item.name)" + (tensor.map { " (\($0.shape), \($0.precision))" } ?? " (missing)"))
        return .zeros([0])
      }
    }
    let count = state.entries.count { entry in unused.map { !entry.name.hasPrefix("\($0).") } ?? true }
    guard problems.isEmpty, count == slots.count * parameters.count else {
      throw Failure(.badData, at: origin, "the optimiser's state does not fit the network: \(count) arrays, expected "
        + "\(slots.count * parameters.count); missing or of another shape: \(problems.joined(separator: ", "))")
    }
    return (values, step)
  }
}
