import TestSupport
import Tensors

let normalizationCases: [OpCase] = [
  OpCase("batch norm", .normalize, [[3, 4, 3, 2]]) { $0[0].normalized(.batch) },
  OpCase("instance norm", .normalize, [[2, 4, 3, 3]]) { $0[0].normalized(.instance, epsilon: 1e-3) },
  OpCase("layer norm", .normalize, [[2, 3, 5]]) { $0[0].normalized(.layer) },
  OpCase("layer norm of images", .normalize, [[2, 2, 3, 4]]) { $0[0].normalized(.layer) },
  OpCase("group norm", .normalize, [[2, 3, 2, 6]]) { $0[0].normalized(.group(3)) },
  OpCase("softmax", .softmax, [[3, 5]], in: -2...2) { $0[0].softmax() },
  OpCase("softmax of the middle axis", .softmax, [[2, 4, 3]], in: -2...2) { $0[0].softmax(1) },
  OpCase("log-softmax", .logSoftmax, [[3, 5]], in: -2...2) { $0[0].logSoftmax() },
  OpCase("log-softmax of the first axis", .logSoftmax, [[4, 3]], in: -2...2) { $0[0].logSoftmax(0) },
  OpCase("log-sum-exp", nil, [[3, 5]], in: -2...2) { $0[0].logSumExp() },
]
