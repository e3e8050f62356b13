import Base
import CKernels

/// RAFT's lookup without the volume: the correlations around where each pixel is thought to have gone, computed when they are looked up.
///
/// Memory grows with the number of pixels and the window, not with the number of pairs of pixels.
/// ```swift
/// let lookup = LocalCorrelation(radius: 4)
/// let y = lookup([f1, f1], [f2, f2.averagePooled(window: 2)], centres: coords)   // [n, h, w, 2 · 81]
/// ```
/// - Source: Teed, Deng, "RAFT", ECCV 2020, section 3.2, "Efficient computation for high resolution images".
public struct LocalCorrelation: Sendable {
  /// Half width of the window, in cells of each level.
  public let radius: Int
  /// Pairs of cells farther apart than this along x or y, in cells of the queries' grid, count as outside; `nil`: none.
  public let reach: Int?

  public init(radius: Int, reach: Int? = nil) {
    (self.radius, self.reach) = (radius, reach)
  }

  /// Level `m` looks up `⟨queries[m], targets[m]⟩` as `correlationLookup` does in a volume of these products: bilinear, zero outside, the
  /// channels in the same order.
  /// - Shape: queries `[n, h, w, d]`, targets of level `m` `[n, hₘ, wₘ, d]`, centres `[n, h, w, 2]` as `(x, y)`, divided by `2ᵐ` on level
  ///   `m` → `[n, h, w, levels · (2·radius + 1)²]`.
  /// - Gradient: to queries and targets, added in place. None to the centres; recorded centres trap.
  /// - Numerics: products in the precision of the tensors, whatever `matmul_precision` says; sums of d terms in several lanes.
  public func callAsFunction(_ queries: [Tensor], _ targets: [Tensor], centres: Tensor) -> Tensor {
    check(queries, targets, centres)
    let (n, h, w, _) = centres.shape4, channels = targets.count * window
    let y = centres.fresh([n, h, w, channels])
    let places = LevelPlaces(images: n, height: h, width: w)
    for (m, (query, target)) in zip(queries, targets).enumerated() {
      let d = query.shape[3]
      Profiler.count(flops: 2 * cells * centres.count / 2 * d)
      places.forEach { image, first, count in
        var options = kernelValue(level: m, target.shape, first: first, count: count, row: w)
        let q = image * h * w + first
        y.kernels.local_correlation(
          &options, query.address(q * d), target.address(image * target.imageCount), centres.address(2 * q), channels,
          y.address(q * channels + m * window))
      }
    }
    return y.recorded(
      .localCorrelation, from: queries + targets, rule: { _ in stop("localCorrelation: cannot be differentiated twice") }
    ) { dy in
      queries.indices.map { m in queries[m].needsGradient ? queryGradient(dy, m, queries[m], targets[m], centres) : nil }
        + targets.indices.map { m in targets[m].needsGradient ? targetGradient(dy, m, queries[m], targets[m], centres) : nil }
    }
  }

  private func queryGradient(_ dy: Tensor, _ m: Int, _ query: Tensor, _ target: Tensor, _ centres: Tensor) -> GradientAccumulation {
    let (n, h, w, d) = query.shape4, channels = dy.shape[3]
    return .onto(zeros: query.shape, dy.precision) { dquery in
      LevelPlaces(images: n, height: h, width: w).forEach { image, first, count in
        var options = kernelValue(level: m, target.shape, first: first, count: count, row: w)
        let q = image * h * w + first
        dquery.kernels.local_correlation_backward_queries(
          &options, dy.address(q * channels + m * window), channels, target.address(image * target.imageCount), centres.address(2 * q),
          dquery.address(q * d))
      }
    }
  }

  /// Threads share an image by channels, so no two add to one element, and each adds in the order of the queries.
  private func targetGradient(_ dy: Tensor, _ m: Int, _ query: Tensor, _ target: Tensor, _ centres: Tensor) -> GradientAccumulation {
    let (n, h, w, d) = query.shape4, channels = dy.shape[3], band = 64, bands = (d + band - 1) / band
    return .onto(zeros: target.shape, dy.precision) { dtarget in
      parallelFor(n * bands) { range in
        for task in range {
          var options = kernelValue(level: m, target.shape, first: 0, count: h * w, row: w)
          let (image, first) = (task / bands, task % bands * band), q = image * h * w
          dtarget.kernels.local_correlation_backward_targets(
            &options, dy.address(q * channels + m * window), channels, query.address(q * d), centres.address(2 * q), first,
            Swift.min(d, first + band), dtarget.address(image * target.imageCount))
        }
      }
    }
  }

  private var window: Int { (2 * radius + 1) * (2 * radius + 1) }
  /// Cells that the samples of a window are blended from.
  private var cells: Int { (2 * radius + 2) * (2 * radius + 2) }

  private func kernelValue(level: Int, _ target: [Int], first: Int, count: Int, row: Int) -> apus_local_correlation {
    apus_local_correlation(
      queries: count, channels: target[3], height: target[1], width: target[2], scale: 1 / Double(1 << level), radius: Int32(radius),
      first: first, row: row, spacing: 1 << level, reach: reach ?? -1)
  }

  private func check(_ queries: [Tensor], _ targets: [Tensor], _ centres: Tensor) {
    let (n, h, w, _) = centres.shape4
    require(radius >= 0 && queries.count == targets.count && !targets.isEmpty,
      "localCorrelation: radius \(radius), \(queries.count) levels of queries and \(targets.count) of targets; expected as many of both")
    for (query, target) in zip(queries, targets) {
      query.requireSamePrecision(target, "localCorrelation")
      query.requireSamePrecision(centres, "localCorrelation")
      require(query.rank == 4 && target.rank == 4 && centres.shape == [n, h, w, 2] && query.shape.dropLast() == [n, h, w]
        && target.shape[0] == n && target.shape[3] == query.shape[3],
        "localCorrelation: queries \(query.shape), targets \(target.shape), centres \(centres.shape); "
          + "expected [n, h, w, d], [n, h', w', d] and [n, h, w, 2]")
    }
    require(!centres.isRecorded, "localCorrelation: no gradient flows to the centres; pass centres.detached()")
  }
}

/// The pixels of a batch in blocks of one image, each a task.
private struct LevelPlaces {
  let images, height, width: Int

  func forEach(_ body: @escaping @Sendable (_ image: Int, _ first: Int, _ count: Int) -> Void) {
    let pixels = height * width, block = 32, blocks = (pixels + block - 1) / block
    parallelFor(images * blocks) { range in
      for task in range {
        let first = task % blocks * block
        body(task / blocks, first, Swift.min(block, pixels - first))
      }
    }
  }
}

extension Tensor {
  /// Elements of one image of a batch.
  fileprivate var imageCount: Int { shape.dropFirst().reduce(1, *) }
}
