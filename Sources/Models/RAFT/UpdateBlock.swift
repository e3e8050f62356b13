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
  func callAsFunction(_ h: Tensor, _ context: Tensor, _ correlations: Tensor, flow: Tensor) -> (hidden: Tensor, flow: Tensor) {
    let x = concatenate([context, encoder(flow, correlations)], axis: -1)
    let h = gru(h, x)
    return (h, flowHead(h))
  }
}

/// What the correlations and the flow so far say about the motion; the raw flow is passed on, too.
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
    let c = convc1(correlations).relu()
    let f = convf2(convf1(flow).relu()).relu()
    return concatenate([conv(concatenate([c, f], axis: -1)).relu(), flow], axis: -1)
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

  func callAsFunction(_ h: Tensor, _ x: Tensor) -> Tensor {
    let hx = concatenate([h, x], axis: -1)
    let z = convz(hx).sigmoid()
    let r = convr(hx).sigmoid()
    let q = convq(concatenate([r * h, x], axis: -1)).tanh()
    return (1 - z) * h + z * q
  }
}

/// Hidden state → change of the flow, in cells.
struct FlowHead: Module {
  let conv1, conv2: Conv2d

  init(_ inputs: Int, _ width: Int, _ random: inout Random) {
    conv1 = Conv2d(inputs, width, kernel: 3, Convolution(padding: 1), &random)
    conv2 = Conv2d(width, 2, kernel: 3, Convolution(padding: 1), &random)
  }

  func callAsFunction(_ h: Tensor) -> Tensor { conv2(conv1(h).relu()) }
}
