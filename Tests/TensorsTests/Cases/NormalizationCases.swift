import Base
import Tensors
import TestSupport

private let rectifiers = Rectifier.allCases

/// Every axis with every tail: weight and bias, residual, and both activations.
private let tailCases: [OpCase] = [NormalizationAxes.batch, .instance, .layer, .group(3)].flatMap { axes in
  rectifiers.flatMap { inner in
    rectifiers.flatMap { outer in
      [
        OpCase("\(axes), weight and bias, \(inner), \(outer)", .normalize, [[2, 3, 3, 6], [6], [6]]) {
          $0[0].normalized(axes, NormalizationEpilogue(weight: $0[1], bias: $0[2], activation: inner, outputActivation: outer))
        },
        OpCase("\(axes), residual, \(inner), \(outer)", .normalize, [[2, 3, 3, 6], [6], [6], [2, 3, 3, 6]]) {
          $0[0].normalized(
            axes, NormalizationEpilogue(weight: $0[1], bias: $0[2], activation: inner, residual: $0[3], outputActivation: outer))
        },
      ]
    }
  }
}

private let givenMoments = OpCase("normalised by given moments", .normalize, [[2, 3, 3, 4], [4], [4], [2, 3, 3, 4]]) { x in
  var random = Random(seed: 6, stream: .test)
  let mean = Tensor.uniform([4], from: -1, to: 1, &random, precision: x[0].precision)
  let variance = Tensor.uniform([4], from: 0.5, to: 2, &random, precision: x[0].precision)
  let tail = NormalizationEpilogue(weight: x[1], bias: x[2], activation: .relu, residual: x[3], outputActivation: .relu)
  return x[0].normalized(mean: mean, variance: variance, tail)
}

let normalizationCases: [OpCase] = tailCases + [
  givenMoments,
  OpCase("batch norm", .normalize, [[3, 4, 3, 2]]) { $0[0].normalized(.batch) },
  OpCase("instance norm", .normalize, [[2, 4, 3, 3]]) { $0[0].normalized(.instance, epsilon: 1e-3) },
  OpCase("layer norm", .normalize, [[2, 3, 5]]) { $0[0].normalized(.layer) },
  OpCase("layer norm of images", .normalize, [[2, 2, 3, 4]]) { $0[0].normalized(.layer) },
  OpCase("group norm", .normalize, [[2, 3, 2, 6]]) { $0[0].normalized(.group(3)) },
  OpCase("softmax", .softmax, [[3, 5]], in: -2...2) { $0[0].softmax() },
  OpCase("softmax of the middle axis", .softmax, [[2, 4, 3]], in: -2...2) { $0[0].softmax(1) },
  OpCase("softmax with scale and bias", .softmax, [[2, 3, 4, 5], [4, 5]], in: -2...2) { $0[0].softmax(scale: 0.3, bias: $0[1]) },
  OpCase("softmax with scale and a bias per image", .softmax, [[2, 3, 4, 5], [2, 1, 1, 5]], in: -2...2) {
    $0[0].softmax(scale: 0.3, bias: $0[1])
  },
  OpCase("softmax with scale and a bias per row", .softmax, [[2, 4, 5], [2, 4, 1]], in: -2...2) {
    $0[0].softmax(scale: 2, bias: $0[1]) * $0[1]
  },
  OpCase("log-softmax", .logSoftmax, [[3, 5]], in: -2...2) { $0[0].logSoftmax() },
  OpCase("log-softmax of the first axis", .logSoftmax, [[4, 3]], in: -2...2) { $0[0].logSoftmax(0) },
  OpCase("log-sum-exp", nil, [[3, 5]], in: -2...2) { $0[0].logSumExp() },
]
