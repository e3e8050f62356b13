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

  /// What the hidden state passes through, in turn.
  func steps() -> [any StateUpdate] {
    switch self {
    case .gru(let unit): [GatedUpdate(unit.convz, unit.convr, unit.convq)]
    case .sepConvGRU(let unit): [GatedUpdate(unit.convz1, unit.convr1, unit.convq1), GatedUpdate(unit.convz2, unit.convr2, unit.convq2)]
    case .convolutions(let stack): [stack]
    }
  }
}

/// Hidden state and input → the next hidden state.
protocol StateUpdate {
  /// - Parameter x: the parts of the input.
  func callAsFunction(_ h: Tensor, _ x: [Tensor]) -> Tensor
}

/// A gated recurrent unit with 3x3 convolutions for matrices.
struct ConvGRU: Module {
  let convz, convr, convq: Conv2d

  init(hidden: Int, input: Int, _ random: inout Random) {
    func gate() -> Conv2d { Conv2d(hidden + input, hidden, kernel: 3, Convolution(padding: 1), &random) }
    convz = gate()
    convr = gate()
    convq = gate()
  }
}

/// Two gated recurrent units in turn: the first looks along rows, the second along columns.
struct SepConvGRU: Module {
  let convz1, convr1, convq1: Conv2d
  let convz2, convr2, convq2: Conv2d

  init(hidden: Int, input: Int, _ random: inout Random) {
    func gate(_ kernel: Extent, padding: Extent) -> Conv2d {
      Conv2d(hidden + input, hidden, kernel: kernel, Convolution(padding: padding), &random)
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
struct GatedUpdate: StateUpdate {
  private let weight, bias: Tensor
  private let how: Convolution
  private let candidate: Conv2d

  init(_ convz: Conv2d, _ convr: Conv2d, _ convq: Conv2d) {
    weight = concatenate([convz.weight.value, convr.weight.value], axis: 3)
    bias = concatenate([convz, convr].compactMap { $0.bias?.value }, axis: 0)
    how = convz.how
    candidate = convq
  }

  func callAsFunction(_ h: Tensor, _ x: [Tensor]) -> Tensor {
    let hx = concatenate([h] + x, axis: -1)
    let zr = hx.convolved(with: weight, bias: bias, how)
    let q = candidate(Tensor.gruReset(gates: zr, joined: hx))
    return Tensor.gruUpdate(gates: zr, candidate: q, state: h)
  }
}

/// Table 2, "3 convolutions": no gates.
struct ConvolutionStack: Module, StateUpdate {
  let conv1, conv2, conv3: Conv2d

  init(hidden: Int, input: Int, _ random: inout Random) {
    conv1 = Conv2d(hidden + input, hidden, kernel: 3, Convolution(padding: 1), &random)
    conv2 = Conv2d(hidden, hidden, kernel: 3, Convolution(padding: 1), &random)
    conv3 = Conv2d(hidden, hidden, kernel: 3, Convolution(padding: 1), &random)
  }

  func callAsFunction(_ h: Tensor, _ x: [Tensor]) -> Tensor {
    [conv1, conv2, conv3].reduce(concatenate([h] + x, axis: -1)) { $1($0, activation: .relu) }
  }
}
