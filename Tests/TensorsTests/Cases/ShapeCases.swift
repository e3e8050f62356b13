import TestSupport
import Tensors

let shapeCases: [OpCase] = [
  OpCase("reshape", .reshape, [[2, 6]]) { $0[0].reshaped(to: [3, -1]).squared() },
  OpCase("transpose", .transpose, [[2, 3, 4]]) { ($0[0].transposed([2, 0, 1])).squared() },
  OpCase("transpose of four axes", .transpose, [[2, 3, 2, 3]]) { $0[0].transposed([0, 3, 1, 2]).exp() },
  OpCase("broadcast", .broadcast, [[3, 1]]) { $0[0].broadcast(to: [2, 3, 4]).squared() },
  OpCase("slice of the middle axis", .slice, [[2, 5, 3]]) { $0[0].sliced(1, 1..<4).squared() },
  OpCase("slice of the last axis", .slice, [[3, 7]]) { $0[0].sliced(-1, 2..<5).exp() },
  OpCase("pad", .pad, [[2, 3, 2]]) { $0[0].padded(1, before: 2, after: 1, with: 0.5).exp() },
  OpCase("concatenate the last axis", .concatenate, [[2, 3], [2, 4], [2, 1]]) { concatenate($0, axis: -1).squared() },
  OpCase("concatenate the first axis", .concatenate, [[2, 3], [1, 3]]) { concatenate($0, axis: 0).exp() },
  OpCase("split", .slice, [[3, 6]]) { x in
    let parts = x[0].split(1, sizes: [1, 3, 2])
    return concatenate([parts[2], parts[1].exp(), parts[0]], axis: 1).squared()
  },
  OpCase("gather rows", .gather, [[4, 3]]) { $0[0].gathered(0, [2, 0, 2, 1, 3, 3]).squared() },
  OpCase("gather the middle axis", .gather, [[2, 4, 3]]) { $0[0].gathered(1, [3, 3, 0]).exp() },
  OpCase("pick", .gather, [[3, 4]]) { $0[0].picked([1, 3, 0]).squared() },
  OpCase("scatter-add", .scatterAdd, [[2, 4, 3]]) { $0[0].scatterAdded(1, [2, 0, 2, 4], length: 5).squared() },
  OpCase("scatter-add of the last axis", .scatterAdd, [[3, 3]]) { $0[0].scatterAdded(-1, [1, 1, 0], length: 2).exp() },
  // The block's inputs are used outside, too, and one of them inside another block.
  OpCase("recomputed block", .recomputed, [[2, 3], [3, 4]]) { x in
    let a = x[0].exp()
    let y = recomputed { _ in (a.matmul(x[1]) + recomputed { _ in (a * a).matmul(x[1]).sigmoid() }).squared() }
    return y * x[1].sum([0]) + y.exp()
  },
]
