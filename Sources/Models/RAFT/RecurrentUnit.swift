import Base
import Networks
import Tensors

/// Section 3.3, equations 3 to 6: the convolutional recurrent unit, and what the paper compares it with.
enum RecurrentUnit: Module {
  case gru(ConvGRU), sepConvGRU(SepConvGRU), convolutions(ConvolutionStack)

  init(_ kind: RAFT.UpdateOperator, hidden: Int, input: Int, _ random: inout Random) {
    self = switch kind {
    case .gru, .preset: .gru(ConvGRU(hidden: hidden, input: input, &random))
    case .sepConvGRU: .sepConvGRU(SepConvGRU(hidden: hidden, input: input, &random))
    case .convolutions: .convolutions(ConvolutionStack(hidden: hidden, input: input, &random))
    }
  }

  /// The recurrent units that the hidden state passes through, in turn.
  /// - Parameter context: the part of the input that is the same in all iterations, between the hidden state and the rest of the input.
  func steps(context: Tensor?) -> [any StateUpdate] {
    switch self {
    case .gru(let unit): [GatedUpdate(unit.convz, unit.convr, unit.convq, context)]
    case .sepConvGRU(let unit):
      [GatedUpdate(unit.convz1, unit.convr1, unit.convq1, context), GatedUpdate(unit.convz2, unit.convr2, unit.convq2, context)]
    case .convolutions(let stack): [StackedUpdate(stack: stack, context: context)]
    }
  }
}

/// Hidden state and input → the next hidden state.
protocol StateUpdate {
  /// - Parameter x: the parts of the input that change.
  func callAsFunction(_ h: Tensor, _ x: [Tensor]) -> Tensor
}

/// A gated recurrent unit with 3x3 convolutions for matrices.
struct ConvGRU: Module {
  let convz: Conv2d
  let convr: Conv2d
  let convq: Conv2d

  init(hidden: Int, input: Int, _ random: inout Random) {
    func gate() -> Conv2d { Conv2d(hidden + input, hidden, kernel: 3, Conv2dOptions(padding: 1), &random) }
    convz = gate()
    convr = gate()
    convq = gate()
  }
}

/// Two gated recurrent units in turn: the first looks along rows, the second along columns.
struct SepConvGRU: Module {
  let convz1: Conv2d
  let convr1: Conv2d
  let convq1: Conv2d
  let convz2: Conv2d
  let convr2: Conv2d
  let convq2: Conv2d

  init(hidden: Int, input: Int, _ random: inout Random) {
    func gate(_ kernel: Extent, padding: Extent) -> Conv2d {
      Conv2d(hidden + input, hidden, kernel: kernel, Conv2dOptions(padding: padding), &random)
    }
    func horizontal() -> Conv2d { gate(Extent(height: 1, width: 5), padding: Extent(height: 0, width: 2)) }
    func vertical() -> Conv2d { gate(Extent(height: 5, width: 1), padding: Extent(height: 2, width: 0)) }
    convz1 = horizontal()
    convr1 = horizontal()
    convq1 = horizontal()
    convz2 = vertical()
    convr2 = vertical()
    convq2 = vertical()
  }
}

/// Equations 3 to 6. The weights of z and r stand side by side: both see the same input, so one convolution serves both.
///
/// A convolution of several inputs is the sum of a convolution of each, so what the context adds to z, r and q is computed once for all
/// iterations.
struct GatedUpdate: StateUpdate {
  private let gates: Gate
  private let candidate: Gate

  /// One convolution of `[state, changing input]`, and what the context adds to it.
  private struct Gate {
    let weight: Tensor
    let bias: Tensor?
    let options: Conv2dOptions
    let fromContext: Tensor?

    init(_ weight: Tensor, _ bias: Tensor?, _ options: Conv2dOptions, hidden: Int, _ context: Tensor?) {
      self.options = options
      guard let context, let width = context.shape.last else {
        (self.weight, self.bias, fromContext) = (weight, bias, nil)
        return
      }
      let parts = weight.split(2, sizes: [hidden, width, weight.shape[2] - hidden - width])
      self.weight = concatenate([parts[0], parts[2]], axis: 2)
      self.bias = nil
      fromContext = context.conv2d(with: parts[1], bias: bias, options)
    }

    func callAsFunction(_ hx: Tensor) -> Tensor {
      let y = hx.conv2d(with: weight, bias: bias, options)
      return fromContext.map { y + $0 } ?? y
    }
  }

  init(_ convz: Conv2d, _ convr: Conv2d, _ convq: Conv2d, _ context: Tensor?) {
    let (options, hidden) = (convz.options, convq.weight.value.shape[3])
    let weight = concatenate([convz.weight.value, convr.weight.value], axis: 3)
    let bias = concatenate([convz, convr].compactMap { $0.bias?.value }, axis: 0)
    gates = Gate(weight, bias, options, hidden: hidden, context)
    candidate = Gate(convq.weight.value, convq.bias?.value, options, hidden: hidden, context)
  }

  func callAsFunction(_ h: Tensor, _ x: [Tensor]) -> Tensor {
    let hx = concatenate([h] + x, axis: -1)
    let zr = gates(hx)
    let q = candidate(Tensor.gruReset(gates: zr, joined: hx))
    return Tensor.gruUpdate(gates: zr, candidate: q, state: h)
  }
}

/// Table 2, "3 convolutions": no gates.
struct ConvolutionStack: Module {
  let conv1: Conv2d
  let conv2: Conv2d
  let conv3: Conv2d

  init(hidden: Int, input: Int, _ random: inout Random) {
    conv1 = Conv2d(hidden + input, hidden, kernel: 3, Conv2dOptions(padding: 1), &random)
    conv2 = Conv2d(hidden, hidden, kernel: 3, Conv2dOptions(padding: 1), &random)
    conv3 = Conv2d(hidden, hidden, kernel: 3, Conv2dOptions(padding: 1), &random)
  }
}

/// The next hidden state from three convolutions.
struct StackedUpdate: StateUpdate {
  let stack: ConvolutionStack
  let context: Tensor?

  func callAsFunction(_ h: Tensor, _ x: [Tensor]) -> Tensor {
    let input = [h] + (context.map { [$0] } ?? []) + x
    return [stack.conv1, stack.conv2, stack.conv3].reduce(concatenate(input, axis: -1)) { $1($0, activation: .relu) }
  }
}
