import TestSupport
import Tensors

let recurrenceCases: [OpCase] = [
  OpCase("gru reset", .gruReset, [[2, 3, 8], [2, 3, 7]], in: -2...2) { Tensor.gruReset(gates: $0[0], joined: $0[1]) },
  OpCase("gru update", .gruUpdate, [[2, 3, 8], [2, 3, 4], [2, 3, 4]], in: -2...2) {
    Tensor.gruUpdate(gates: $0[0], candidate: $0[1], state: $0[2])
  },
  OpCase("gated recurrent unit", .gruReset, [[3, 8], [3, 4], [3, 3], [7, 4]]) { x in
    let joined = concatenate([x[1], x[2]], axis: -1)
    let candidate = Tensor.gruReset(gates: x[0], joined: joined).matmul(x[3])
    return Tensor.gruUpdate(gates: x[0], candidate: candidate, state: x[1]) * joined.sliced(-1, 0..<4)
  },
  OpCase("slices and joins that share a gradient", .slice, [[3, 4], [3, 2]]) { x in
    let joined = concatenate([x[0], x[1], x[0]], axis: 1)
    return joined.sliced(1, 0..<5) * joined.sliced(1, 3..<8).exp() * joined.sliced(0, 1..<3).sum()
  },
]
