import Base
import Networks
import Tensors
import Training

/// Something to compute over and over: the same shapes and the same work for us and for PyTorch.
///
/// Its properties are the sizes; they go to the other side under their snake-case names.
package protocol Workload: Encodable, Sendable {
  /// The name of the function that builds it on the other side.
  static var kind: String { get }

  /// Parameters and inputs with random numbers, ready to run.
  func prepared() throws -> PreparedWorkload

  /// Other ways of ours to compute the same, measured beside the one that a program takes.
  var alternatives: [String] { get }

  /// As `prepared`, in one of these ways.
  func prepared(as alternative: String) throws -> PreparedWorkload
}

extension Workload {
  package var alternatives: [String] { [] }

  package func prepared(as alternative: String) throws -> PreparedWorkload {
    throw Failure(.usage, at: "bench", "a benchmark of the kind '\(Self.kind)' has no alternative '\(alternative)'")
  }

  /// Prepared as a process measures it: what counting the operations left in memory is given back.
  /// - Parameter alternative: one of `alternatives`; empty: the way that a program takes.
  package func readyToMeasure(as alternative: String = "") throws -> PreparedWorkload {
    let prepared = try alternative.isEmpty ? prepared() : prepared(as: alternative)
    MemoryPool.trim()
    return prepared
  }
}

/// A forward pass and all gradients of its result.
package protocol DifferentiatedWorkload: Workload {
  /// Of one repetition, from the sizes.
  var operations: Double { get }

  /// The forward pass of something with random parameters and input.
  func forward() -> () -> Tensor
}

extension DifferentiatedWorkload {
  /// Every repetition takes the same random output gradient.
  package func prepared() -> PreparedWorkload {
    let output = forward()
    var random = Random(seed: 2, stream: .test)
    let seed = noGradient { Tensor.normal(output().shape, &random) }
    return PreparedWorkload(operations: operations) { _ = output().gradients(seed: seed) }
  }
}

/// A workload with its memory filled.
package struct PreparedWorkload {
  /// Floating-point operations of one repetition: two for each multiply-add of a product, forward and in every gradient that is computed.
  package let operations: Double
  /// One repetition.
  package let run: () throws -> Void
}

extension PreparedWorkload {
  /// One training step of any network: forward, loss, all gradients, clipping and update, as a training does them. Its operations are
  /// counted in a first pass.
  /// - Parameter loss: the forward pass over inputs at hand.
  package static func trainingStep(
    of module: some Module, _ optimizer: OptimizerConfig, loss: @escaping () throws -> Tensor
  ) throws -> PreparedWorkload {
    let learner = try Learner(LearnerPlan("", module, optimizer, Schedule(.constant)), steps: 1)
    let operations = try loss().recordedOperations
    try learner.update(loss(), at: 0)  // what was kept of the weights for a second pass goes as they change
    return PreparedWorkload(operations: operations) { try learner.update(loss(), at: 0) }
  }

  /// One inference without gradients; its operations are those of a first, profiled run.
  package static func inference(_ body: @escaping () -> Void) -> PreparedWorkload {
    Profiler.start()
    noGradient(body)
    let operations = Profiler.stop().events.reduce(0) { $0 + Double($1.flops) }
    return PreparedWorkload(operations: operations) { noGradient(body) }
  }
}

extension Tensor {
  /// Operations of the recorded products this tensor depends on, their gradients included: a product of two recorded factors has two.
  package var recordedOperations: Double {
    recordedGraph.reduce(0) { sum, op in sum + 2 * Double(op.multiplyAdds + op.gradientMultiplyAdds) }
  }
}
