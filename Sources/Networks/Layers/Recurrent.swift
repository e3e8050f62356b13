import Base
import Tensors

/// Long short-term memory, with the equations, the names and the order of gates of PyTorch:
/// `i, f, o = σ(Wx + b + Uh + b')`, `g = tanh(Wx + b + Uh + b')`, `c ← f ⊙ c + i ⊙ g`, `h ← o ⊙ tanh(c)`.
///
/// - Shape: `[n, t, inputs]` → `[n, t, directions·hidden]`.
/// - Names: `weight_ih_l0` `[4·hidden, inputs]`, `weight_hh_l0` `[4·hidden, hidden]`, `bias_ih_l0`, `bias_hh_l0` `[4·hidden]`, rows in the
///   order i, f, g, o; further layers `l1`, …; the backward direction `…_reverse`.
/// - Initialiser: all uniform in `±1 / √hidden`, as PyTorch.   - Source: Hochreiter, Schmidhuber 1997; Gers et al. 2000 (forget gate).
///
/// ```swift
/// let lstm = LSTM(4, hidden: 32, layers: 2, &random)
/// let (features, state) = lstm(steps, .evaluation)            // [n, t, 32]
/// let (next, later) = lstm(newStep, from: state, .evaluation)   // [n, 1, 32]: the sequence goes on
/// ```
public struct LSTM: Module {
  public static let checkpointNames = ["stack": ""]

  /// What the layers remember: both `[layers·directions, n, hidden]`, the backward direction after the forward one of its layer.
  public struct State: Sendable {
    public let hidden: Tensor
    public let cell: Tensor

    public init(hidden: Tensor, cell: Tensor) { (self.hidden, self.cell) = (hidden, cell) }
  }

  private let stack: RecurrentStack
  public var hidden: Int { stack.hidden }

  /// - Parameter dropout: between the layers, in training.
  public init(
    _ inputs: Int, hidden: Int, layers: Int = 1, isBidirectional: Bool = false, dropout: Double = 0, _ random: inout Random
  ) {
    stack = RecurrentStack(
      inputs, hidden: hidden, gates: 4, layers: layers, isBidirectional: isBidirectional, dropout: Dropout(dropout), &random)
  }

  /// - Parameter state: before the first step; nil: zeros.
  /// - Returns: the hidden state of the last layer at every step, and the state after the last step.
  public func callAsFunction(_ x: Tensor, from state: State? = nil, _ pass: Pass) -> (output: Tensor, state: State) {
    let (y, last) = stack.run(x, from: state.map { [$0.hidden, $0.cell] }, memories: 2, pass) { fromInput, fromState, memory in
      let gates = (fromInput + fromState).split(-1, into: 4)  // [n, hidden] each
      let cell = gates[1].sigmoid() * memory[1] + gates[0].sigmoid() * gates[2].tanh()
      return [gates[3].sigmoid() * cell.tanh(), cell]
    }
    return (y, State(hidden: last[0], cell: last[1]))
  }
}

/// Gated recurrent unit, with the equations, the names and the order of gates of PyTorch: `r, z = σ(Wx + b + Uh + b')`,
/// `q = tanh(Wx + b + r ⊙ (Uh + b'))`, `h ← (1 - z) ⊙ q + z ⊙ h`; the reset gate acts on the product with the state, not on the state.
///
/// - Shape: `[n, t, inputs]` → `[n, t, directions·hidden]`; states `[layers·directions, n, hidden]`.
/// - Names: as `LSTM`, with three gates: rows in the order r, z, n.   - Initialiser: as `LSTM`.
/// - Source: Cho et al. 2014, with the reset gate of the revised version.
public struct GRU: Module {
  public static let checkpointNames = ["stack": ""]

  private let stack: RecurrentStack
  public var hidden: Int { stack.hidden }

  /// - Parameter dropout: between the layers, in training.
  public init(
    _ inputs: Int, hidden: Int, layers: Int = 1, isBidirectional: Bool = false, dropout: Double = 0, _ random: inout Random
  ) {
    stack = RecurrentStack(
      inputs, hidden: hidden, gates: 3, layers: layers, isBidirectional: isBidirectional, dropout: Dropout(dropout), &random)
  }

  /// - Parameter state: before the first step; nil: zeros.
  /// - Returns: the hidden state of the last layer at every step, and the state after the last step.
  public func callAsFunction(_ x: Tensor, from state: Tensor? = nil, _ pass: Pass) -> (output: Tensor, state: Tensor) {
    let width = hidden
    let (y, last) = stack.run(x, from: state.map { [$0] }, memories: 1, pass) { fromInput, fromState, memory in
      let input = fromInput.split(-1, sizes: [2 * width, width]), recurrent = fromState.split(-1, sizes: [2 * width, width])
      let gates = (input[0] + recurrent[0]).sigmoid().split(-1, into: 2)
      let candidate = (input[1] + gates[0] * recurrent[1]).tanh()
      return [candidate + gates[1] * (memory[0] - candidate)]
    }
    return (y, last[0])
  }
}

/// The weights of a recurrent network, and its way through layers, directions and steps.
private struct RecurrentStack: Module {
  static let checkpointNames = ["weights": ""]

  /// A parameter with a name of its own.
  struct Weight: Module {
    static let checkpointNames = ["parameter": ""]
    let parameter: Parameter
  }

  /// Four of each direction of each layer.
  let weights: [Named<Weight>]
  let inputs: Int
  let hidden: Int
  let layers: Int
  let directions: Int
  let dropout: Dropout

  init(
    _ inputs: Int, hidden: Int, gates: Int, layers: Int, isBidirectional: Bool, dropout: Dropout, _ random: inout Random
  ) {
    require(inputs > 0 && hidden > 0 && layers > 0, "a recurrent network of \(layers) layers with \(inputs) inputs and \(hidden) units")
    let directions = isBidirectional ? 2 : 1
    let bound = 1 / Double(hidden).squareRoot()
    var weights: [Named<Weight>] = []
    for part in 0..<layers * directions {
      let layer = part / directions
      let suffix = "l\(layer)" + (part % directions == 0 ? "" : "_reverse")
      for (name, rows) in [("weight_ih", layer == 0 ? inputs : directions * hidden), ("weight_hh", hidden)] {
        let value = Tensor.uniform([rows, gates * hidden], from: -bound, to: bound, &random)
        weights.append(Named("\(name)_\(suffix)", Weight(parameter: Parameter(value, layout: .linear))))
      }
      for name in ["bias_ih", "bias_hh"] {
        let value = Tensor.uniform([gates * hidden], from: -bound, to: bound, &random)
        weights.append(Named("\(name)_\(suffix)", Weight(parameter: Parameter(value))))
      }
    }
    self.weights = weights
    (self.inputs, self.hidden, self.layers, self.directions) = (inputs, hidden, layers, directions)
    self.dropout = dropout
  }

  /// One step of a cell: the input's and the state's share of the gates, `[n, gates·hidden]`, and the memories `[n, hidden]`, of which the
  /// first is the output, to the new memories.
  typealias Step = (_ fromInput: Tensor, _ fromState: Tensor, _ memory: [Tensor]) -> [Tensor]

  /// - Parameters:
  ///   - x: `[n, t, inputs]`, t ≥ 1.
  ///   - state: one tensor `[layers·directions, n, hidden]` for each memory of the cell; nil: zeros.
  /// - Returns: `[n, t, directions·hidden]`, and the state after the last step.
  func run(
    _ x: Tensor, from state: [Tensor]?, memories: Int, _ pass: Pass, _ step: Step
  ) -> (output: Tensor, state: [Tensor]) {
    let (n, length, width) = x.shape3
    let shape = [layers * directions, n, hidden]
    require(width == inputs && length > 0, "a recurrent network of \(inputs) inputs takes [n, t, \(inputs)], t ≥ 1, got \(x.shape)")
    for part in state ?? [] { require(part.shape == shape, "a recurrent network's state has the shape \(shape), got \(part.shape)") }
    var y = x
    var last: [[Tensor]] = []  // of each direction of each layer, [1, n, hidden]
    for layer in 0..<layers {
      if layer > 0 { y = dropout(y, pass) }
      let sides = (0..<directions).map { direction in
        let part = layer * directions + direction
        let first = state.map { $0.map { $0.sliced(0, part..<part + 1).reshaped(to: [n, hidden]) } }
          ?? Array(repeating: Tensor.zeros([n, hidden], x.precision), count: memories)
        let (output, memory) = scan(y, part, from: first, isReversed: direction == 1, step)
        last.append(memory.map { $0.reshaped(to: [1, n, hidden]) })
        return output
      }
      y = directions == 1 ? sides[0] : concatenate(sides, axis: -1)
    }
    return (y, (0..<memories).map { memory in concatenate(last.map { $0[memory] }, axis: 0) })
  }

  /// One direction of one layer. The inputs of all steps go through one product.
  private func scan(
    _ x: Tensor, _ part: Int, from memory: [Tensor], isReversed: Bool, _ step: Step
  ) -> (output: Tensor, memory: [Tensor]) {
    let (n, length, _) = x.shape3
    let values = weights[4 * part..<4 * part + 4].map(\.module.parameter.value)
    let projected = x.linear(by: values[0], bias: values[2])  // [n, t, gates·hidden]
    var memory = memory
    var outputs: [Tensor] = []
    for k in isReversed ? Array((0..<length).reversed()) : Array(0..<length) {
      let fromInput = projected.sliced(1, k..<k + 1).reshaped(to: [n, projected.shape[2]])
      memory = step(fromInput, memory[0].linear(by: values[1], bias: values[3]), memory)
      outputs.append(memory[0].reshaped(to: [n, 1, hidden]))
    }
    return (concatenate(isReversed ? outputs.reversed() : outputs, axis: 1), memory)
  }
}
