import Tensors

/// Section 3.2: what an update learns about the match of both images, given where each pixel of image 1 is thought to have gone.
protocol FeatureMatching {
  /// - Shape: coords `[n, h, w, 2]` in cells → `[n, h, w, channels]`.
  func callAsFunction(_ coords: Tensor) -> Tensor
}

/// The features that correlations are made of: level `m` compares the pixels of image 1 with image 2 at `2⁻ᵐ` of its resolution.
struct FeatureScales {
  /// Image 1, divided by `√d`: `[n, h, w, d]` on every level.
  let queries: [Tensor]
  /// Image 2: one scale, `[n, h, w, d]`, or as many as levels, `[n, hₘ, wₘ, d]`.
  let targets: [Tensor]
  /// Whether levels above the first are pooled from it.
  var isPooled: Bool { targets.count < queries.count }

  /// - Parameter f1: one scale, or as many as levels: then every pixel is looked up with the feature of the cell that it belongs to.
  init(_ f1: [Tensor], _ f2: [Tensor], levels: Int) {
    let (_, h, w, d) = f1[0].shape4
    let scale = 1 / Double(d).squareRoot()
    let scaled = f1.enumerated().map { m, f in
      m == 0 ? f * scale : (f * scale).gathered(1, (0..<h).map { $0 >> m }).gathered(2, (0..<w).map { $0 >> m })
    }
    queries = scaled.count < levels ? Array(repeating: scaled[0], count: levels) : scaled
    targets = f2
  }

  /// Image 2 on every level: by linearity, pooling correlations over image 2 is correlating with pooled features.
  var pooledTargets: [Tensor] {
    (targets.count..<queries.count).reduce(into: targets) { pooled, m in pooled.append(pooled[m - 1].averagePooled(window: 2)) }
  }
}

/// The similarity of all pairs of pixels, at several resolutions of image 2.
///
/// `C[i, j, k, l] = ⟨f1[i, j], f2[k, l]⟩ / √D`; level `m` averages `C` over blocks of `2ᵐ x 2ᵐ` cells `(k, l)`, so every level keeps
/// the full resolution of image 1.
struct CorrelationPyramid: FeatureMatching {
  /// Level `m`: `[n·h·w, ⌊h/2ᵐ⌋, ⌊w/2ᵐ⌋]`.
  private let levels: [Tensor]
  private let radius: Int

  /// - Parameter reach: cells of level 0 beyond which pairs do not count; `nil`: all pairs.
  init(_ features: FeatureScales, radius: Int, reach: Int? = nil) {
    func volume(_ m: Int) -> Tensor {
      let (n, h, w, d) = features.queries[m].shape4
      let (_, height, width, _) = features.targets[m].shape4
      return features.queries[m].reshaped(to: [n, h * w, d])
        .matmul(features.targets[m].reshaped(to: [n, height * width, d]), otherTransposed: true)
        .reshaped(to: [n * h * w, height, width, 1])
    }
    var levels = [volume(0)]
    for m in features.queries.indices.dropFirst() {
      levels.append(features.isPooled ? levels[m - 1].averagePooled(window: 2) : volume(m))
    }
    if let reach {
      levels = levels.indices.map { Self.limited(levels[$0], to: reach, level: $0, queries: features.queries[0].shape) }
    }
    self.levels = levels.map { $0.reshaped(to: Array($0.shape.dropLast())) }
    self.radius = radius
  }

  /// The correlations around where each pixel is thought to have gone: a window of constant size on every level.
  /// - Shape: coords `[n, h, w, 2]` in cells of level 0 → `[n, h, w, levels · (2·radius + 1)²]`.
  func callAsFunction(_ coords: Tensor) -> Tensor {
    let (n, h, w, _) = coords.shape4
    let centres = coords.reshaped(to: [n * h * w, 2])
    return Tensor.correlationLookup(levels, centres: centres, radius: radius).reshaped(to: [n, h, w, -1])
  }

  /// A level without the pairs that are farther apart than `reach` cells along x or y.
  private static func limited(_ volume: Tensor, to reach: Int, level m: Int, queries: [Int]) -> Tensor {
    let (n, h, w) = (queries[0], queries[1], queries[2])
    let (height, width) = (volume.shape[1], volume.shape[2])
    func near(_ length: Int, _ cells: Int) -> Tensor {
      Tensor((0..<length).flatMap { i in (0..<cells).map { abs(($0 << m) - i) <= reach ? 1.0 : 0 } }, shape: [length, cells],
             precision: volume.precision)
    }
    let mask = near(h, height).reshaped(to: [h, 1, height, 1]) * near(w, width).reshaped(to: [1, w, 1, width])
    return (volume.reshaped(to: [n, h * w, height * width]) * mask.reshaped(to: [h * w, height * width])).reshaped(to: volume.shape)
  }
}

/// The same lookup in memory that grows with the number of pixels: correlations are computed where they are looked up, every time.
struct CorrelationOnTheFly: FeatureMatching {
  private let queries: [Tensor]
  private let targets: [Tensor]
  private let correlation: LocalCorrelation

  init(_ features: FeatureScales, radius: Int, reach: Int? = nil) {
    (queries, targets) = (features.queries, features.pooledTargets)
    correlation = LocalCorrelation(radius: radius, reach: reach)
  }

  func callAsFunction(_ coords: Tensor) -> Tensor { correlation(queries, targets, centres: coords) }
}

/// Table 2, "warping": the features of image 1, and those of image 2 at the pixels where the flow points; zero outside.
struct WarpedFeatures: FeatureMatching {
  let f1: Tensor
  let f2: Tensor

  func callAsFunction(_ coords: Tensor) -> Tensor {
    let (_, h, w, _) = f2.shape4
    let scale = Tensor([2 / Double(w - 1), 2 / Double(h - 1)], shape: [2], precision: coords.precision)
    return concatenate([f1, f2.gridSampled(coords * scale - 1, GridSampling(alignCorners: true))], axis: -1)
  }
}
