import Networks
import Tensors

/// Section 3.3: one step of the recurrent update operator.
struct UpdateBlock: Module {
  let encoder: MotionEncoder
  let gru: ConvGRU
  let flowHead: FlowHead

  init(_ preset: RAFT.Preset, correlations: Int, _ random: inout Random) {
    encoder = MotionEncoder(preset, correlations: correlations, &random)
    gru = ConvGRU(hidden: preset.hidden, input: preset.context + preset.motion + 2, &random)
    flowHead = FlowHead(preset.hidden, preset.flowHead, &random)
  }

  /// - Shape: hidden `[n, h, w, hidden]`, context, correlations, flow `[n, h, w, 2]` → the new hidden state and the change of the flow.
  /// - Parameter gates: `gru.gates()`, joined once for all steps.
  func callAsFunction(
    _ h: Tensor, _ context: Tensor, _ correlations: Tensor, flow: Tensor, _ gates: ConvGRU.Gates
  ) -> (hidden: Tensor, flow: Tensor) {
    let h = gru(h, [context, encoder(flow, correlations), flow], gates)
    return (h, flowHead(h))
  }
}

/// What the correlations and the flow so far say about the motion; the raw flow itself is passed on beside it.
struct MotionEncoder: Module {
  let convc1: Conv2d
  let convf1, convf2: Conv2d
  let conv: Conv2d

  init(_ preset: RAFT.Preset, correlations: Int, _ random: inout Random) {
    let (c, f) = (preset.correlationWidth, preset.flowWidths)
    convc1 = Conv2d(correlations, c, kernel: 1, Convolution(), &random)
    convf1 = Conv2d(2, f[0], kernel: 7, Convolution(padding: 3), &random)
    convf2 = Conv2d(f[0], f[1], kernel: 3, Convolution(padding: 1), &random)
    conv = Conv2d(c + f[1], preset.motion, kernel: 3, Convolution(padding: 1), &random)
  }

  func callAsFunction(_ flow: Tensor, _ correlations: Tensor) -> Tensor {
    let c = convc1(correlations, activation: .relu)
    let f = convf2(convf1(flow, activation: .relu), activation: .relu)
    return conv(concatenate([c, f], axis: -1), activation: .relu)
  }
}

/// The gated recurrent unit with convolutions for matrices, equations 3 to 6.
struct ConvGRU: Module {
  let convz, convr, convq: Conv2d

  init(hidden: Int, input: Int, _ random: inout Random) {
    func gate(_ random: inout Random) -> Conv2d { Conv2d(hidden + input, hidden, kernel: 3, Convolution(padding: 1), &random) }
    convz = gate(&random)
    convr = gate(&random)
    convq = gate(&random)
  }

  /// The weights of z and r side by side: both see the same input, so one convolution serves both.
  struct Gates {
    let weight, bias: Tensor
    let how: Convolution
  }

  func gates() -> Gates {
    let biases = [convz, convr].compactMap { $0.bias?.value }
    return Gates(
      weight: concatenate([convz.weight.value, convr.weight.value], axis: 3), bias: concatenate(biases, axis: 0), how: convz.how)
  }

  /// - Parameter x: the parts of the input.
  func callAsFunction(_ h: Tensor, _ x: [Tensor], _ gates: Gates) -> Tensor {
    let hx = concatenate([h] + x, axis: -1)
    let zr = hx.convolved(with: gates.weight, bias: gates.bias, gates.how)
    let q = convq(Tensor.gruReset(gates: zr, joined: hx))
    return Tensor.gruUpdate(gates: zr, candidate: q, state: h)
  }
}

/// Hidden state → change of the flow, in cells.
struct FlowHead: Module {
  let conv1, conv2: Conv2d

  init(_ inputs: Int, _ width: Int, _ random: inout Random) {
    conv1 = Conv2d(inputs, width, kernel: 3, Convolution(padding: 1), &random)
    conv2 = Conv2d(width, 2, kernel: 3, Convolution(padding: 1), &random)
  }

  func callAsFunction(_ h: Tensor) -> Tensor { conv2(conv1(h, activation: .relu)) }
}
