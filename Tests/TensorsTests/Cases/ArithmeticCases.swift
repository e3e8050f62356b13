import Base
import Tensors
import TestSupport

let arithmeticCases: [OpCase] = [
  OpCase("add", .add, [[2, 3], [2, 3]]) { $0[0] + $0[1] },
  OpCase("add broadcast both ways", .add, [[2, 1, 3], [4, 1]]) { $0[0] + $0[1] },
  OpCase("add to itself", .add, [[5]]) { $0[0] + $0[0] },
  OpCase("add scalar tensor", .add, [[], [3, 2]]) { $0[0] + $0[1] },
  OpCase("subtract broadcast", .subtract, [[3], [2, 3]]) { $0[0] - $0[1] },
  OpCase("multiply", .multiply, [[2, 3], [2, 3]]) { $0[0] * $0[1] },
  OpCase("multiply channels", .multiply, [[2, 3, 5, 4], [4]]) { $0[0] * $0[1] },
  OpCase("multiply middle axis", .multiply, [[2, 3, 4], [3, 1]]) { $0[0] * $0[1] },
  OpCase("divide", .divide, [[2, 3], [2, 3]], in: -1...1, 0.5...2) { $0[0] / $0[1] },
  OpCase("divide broadcast", .divide, [[3, 1], [2, 3, 2]], in: 0.5...2) { $0[0] / $0[1] },
  OpCase("affine", .affine, [[2, 3]]) { $0[0].scaled(by: -2.5, plus: 0.3).squared() },
  OpCase("maximum", .maximum, [[3, 4], [4]]) { $0[0].maximum($0[1]) * $0[0] },
  OpCase("minimum", .minimum, [[3, 4], [3, 1]]) { $0[0].minimum($0[1]) * $0[1] },
  OpCase("select", .select, [[3, 4], [3, 1]]) { x in
    Tensor.select(x[0].detached().isGreater(than: 0.1), x[0].squared(), else: x[1].exp())
  },
  OpCase("sum of all", .sum, [[2, 3]]) { $0[0].sum().squared() },
  OpCase("sum of the middle axis", .sum, [[2, 3, 4]]) { $0[0].sum([1]).squared() },
  OpCase("sum of outer and inner axes", .sum, [[2, 3, 4, 2]]) { $0[0].sum([0, 3], keepingAxes: true).squared() },
  OpCase("sum of a negative axis", .sum, [[3, 5]]) { $0[0].sum([-1]).exp() },
  OpCase("mean", nil, [[2, 3, 4]]) { $0[0].mean([0, 2]).exp() },
  OpCase("max of the last axis", .max, [[3, 4]]) { $0[0].max([-1]).squared() },
  OpCase("max of the first two axes", .max, [[2, 3, 2]]) { $0[0].max([0, 1], keepingAxes: true).squared() },
]

let elementaryCases: [OpCase] = [
  OpCase("negate", .negate, [[2, 3]]) { (-$0[0]).exp() },
  OpCase("exp", .exp, [[2, 3]], in: -2...2) { $0[0].exp() },
  OpCase("log", .log, [[2, 3]], in: 0.3...3) { $0[0].log() },
  OpCase("sqrt", .sqrt, [[2, 3]], in: 0.3...3) { $0[0].sqrt() },
  OpCase("abs", .abs, [[2, 3]], in: 0.1...1) { (-$0[0]).abs() * $0[0] },
  OpCase("square", .square, [[2, 3]]) { $0[0].squared() },
  OpCase("power", .power, [[2, 3]], in: 0.3...2) { $0[0].power(2.7) },
  OpCase("power of a negative base", .power, [[2, 3]]) { $0[0].power(3) },
  OpCase("clamp", .clamp, [[4, 5]]) { $0[0].clamped(to: -0.4, 0.5) * $0[0] },
  OpCase("erf", .erf, [[2, 3]], in: -2...2) { $0[0].erf() },
  OpCase("relu", .relu, [[4, 5]]) { $0[0].relu() * $0[0] },
  OpCase("leaky relu", .leakyRelu, [[4, 5]]) { $0[0].leakyRelu(slope: 0.2) * $0[0] },
  OpCase("gate", .gate, [[4, 5]]) { x in
    var random = Random(seed: 4, stream: .test)
    return x[0].squared().gated(by: .uniform([4, 5], from: -1, to: 1, &random, precision: x[0].precision), otherwise: 0.3)
  },
  OpCase("sigmoid", .sigmoid, [[2, 3]], in: -3...3) { $0[0].sigmoid() },
  OpCase("tanh", .tanh, [[2, 3]], in: -2...2) { $0[0].tanh() },
  OpCase("softplus", .softplus, [[2, 3]], in: -3...3) { $0[0].softplus() },
  OpCase("silu", .silu, [[2, 3]], in: -3...3) { $0[0].silu() },
  OpCase("elu", .elu, [[3, 5]], in: -3...3) { $0[0].elu() },
  OpCase("gelu", .gelu, [[2, 3]], in: -2...2) { $0[0].gelu() },
  OpCase("gelu, tanh form", nil, [[2, 3]], in: -2...2) { $0[0].geluApproximated() },
  OpCase("masked L1", .maskedL1, [[3, 4, 2]]) { x in
    var random = Random(seed: 5, stream: .test)
    let target = Tensor.uniform([3, 4, 2], from: -1, to: 1, &random, precision: x[0].precision)
    return x[0].exp().maskedL1(target, mask: .uniform([3, 4, 1], from: 0, to: 1, &random, precision: x[0].precision))
  },
  OpCase("dropout", .dropout, [[4, 6]]) { x in
    var random = Random(seed: 3, stream: .dropout)
    return x[0].dropout(0.4, &random).squared()
  },
  OpCase("dropout of channels", nil, [[2, 3, 2, 5]]) { x in
    var random = Random(seed: 3, stream: .dropout)
    return x[0].dropoutChannels(0.4, &random).squared()
  },
]
