import Base
import Tensors
import TestSupport

private let samplings: [(String, GridSampling)] = GridPadding.allCases.flatMap { padding in
  [false, true].map { align in
    ("\(padding.rawValue)\(align ? ", corners aligned" : "")", GridSampling(padding: padding, alignCorners: align))
  }
}

private let resizeCases: [OpCase] = Interpolation.allCases.flatMap { mode in
  [false, true].flatMap { align in
    [Extent(height: 7, width: 3), Extent(height: 2, width: 9)].map { size in
      OpCase("resize \(mode.rawValue)\(align ? ", corners aligned," : "") to \(size.height)x\(size.width)", .resample, [[2, 4, 5, 2]]) {
        $0[0].resized(to: size, mode, alignCorners: align).squared()
      }
    }
  }
}

private let gridCases: [OpCase] = samplings.flatMap { name, options in
  [
    OpCase("grid sample, \(name)", .gridSample, [[2, 4, 5, 3], [2, 3, 2, 2]], in: -1...1, -1.7...1.7, twice: false) {
      $0[0].gridSampled($0[1], options)
    },
    OpCase("grid sample of an image twice, \(name)", .gridSample, [[2, 4, 5, 3]]) { x in
      var random = Random(seed: 5, stream: .test)
      return x[0].gridSampled(.uniform([2, 3, 2, 2], from: -1.5, to: 1.5, &random, precision: x[0].precision), options).exp()
    },
  ]
}

let resamplingCases: [OpCase] = resizeCases + gridCases + [
  OpCase("grid sample, nearest", .gridSample, [[2, 4, 5, 3]]) { x in
    var random = Random(seed: 5, stream: .test)
    let grid = Tensor.uniform([2, 3, 2, 2], from: -1.5, to: 1.5, &random, precision: x[0].precision)
    return x[0].gridSampled(grid, GridSampling(nearest: true)).squared()
  },
  OpCase("grid sample input gradient", .gridSampleInputGradient, [[1, 3, 2, 2]]) { x in
    var random = Random(seed: 5, stream: .test)
    let grid = Tensor.uniform([1, 3, 2, 2], from: -1.2, to: 1.2, &random, precision: x[0].precision)
    return x[0].gridSampleInputGradient(grid, inputShape: [1, 4, 5, 2], GridSampling()).exp()
  },
  OpCase("grid sample input gradient, by the grid", .gridSampleInputGradient, [[1, 3, 2, 2]], in: -0.9...0.9, twice: false) { x in
    var random = Random(seed: 5, stream: .test)
    let dy = Tensor.uniform([1, 3, 2, 2], from: -1, to: 1, &random, precision: x[0].precision)
    return dy.gridSampleInputGradient(x[0], inputShape: [1, 4, 5, 2], GridSampling())
  },
  OpCase("filter", .resample, [[2, 5, 4, 2]]) { $0[0].filtered(by: FIRFilter([1, 3, 3, 1]), before: 2, after: 2).squared() },
  OpCase("filter to half of the resolution", .resample, [[1, 6, 4, 3]]) {
    $0[0].filtered(by: FIRFilter([1, 2, 4], down: 2), before: 1, after: 1).squared()
  },
  OpCase("filter to twice the resolution", .resample, [[1, 3, 4, 2]]) {
    $0[0].filtered(by: FIRFilter([1, 3, 3, 1], up: 2), before: 2, after: 1).exp()
  },
  OpCase("max pool", .maxPool, [[2, 5, 4, 3]]) { $0[0].maxPooled(window: 3, stride: 2, padding: 1).squared() },
  OpCase("max pool of a long window", .maxPool, [[2, 5, 6, 2]]) {
    $0[0].maxPooled(window: Extent(height: 2, width: 3), stride: Extent(height: 1, width: 2)).exp()
  },
  OpCase("average pool", .resample, [[2, 5, 7, 3]]) { $0[0].averagePooled(window: 2).squared() },
  OpCase("average pool without padding's zeros", .resample, [[2, 5, 6, 2]]) {
    $0[0].averagePooled(window: 3, stride: 2, padding: 1, countsPadding: false).exp()
  },
  OpCase("adaptive average pool", .resample, [[2, 5, 7, 2]]) { $0[0].adaptiveAveragePooled(to: Extent(height: 2, width: 3)).squared() },
  OpCase("adaptive max pool", nil, [[2, 5, 7, 2]]) { $0[0].adaptiveMaxPooled(to: Extent(height: 2, width: 3)).squared() },
]
