import Tensors

/// Something to compute over and over: the same shapes and the same work for us and for PyTorch.
///
/// Its properties are the sizes; they go to the other side under their snake-case names.
protocol Workload: Encodable, Sendable {
  /// The name of the function that builds it on the other side.
  static var kind: String { get }

  /// Parameters and inputs with random numbers, ready to run.
  func prepared() throws -> PreparedWorkload
}

/// A workload with its memory filled.
struct PreparedWorkload {
  /// Floating-point operations of one repetition: two for each multiply-add of a product, forward and in every gradient that is computed.
  let operations: Double
  /// One repetition.
  let run: () throws -> Void

  /// The forward pass and all gradients of `output` for a random output gradient.
  init(operations: Double, gradientsOf output: @escaping () -> Tensor) {
    var random = Random(seed: 2, stream: .test)
    let seed = withoutRecording { Tensor.normal(output().shape, &random) }
    self.init(operations: operations, run: { _ = output().gradients(seed: seed) })
  }

  init(operations: Double, run: @escaping () throws -> Void) {
    self.operations = operations
    self.run = run
  }
}

extension Tensor {
  /// Operations of the recorded products this tensor depends on, their gradients included: a product of two recorded factors has two.
  var recordedOperations: Double {
    recordedGraph.reduce(0) { sum, op in
      sum + 2 * Double(op.multiplyAdds) * Double(1 + op.inputShapes.prefix(2).count { $0 != nil })
    }
  }
}
