import CKernels

/// What a normalisation takes its mean and variance over, for channels-last tensors.
public enum NormalizationAxes: Sendable, Equatable {
  /// Each channel over all images and pixels. - Source: Ioffe, Szegedy 2015.
  case batch
  /// Each channel of each image over its pixels. - Source: Ulyanov et al. 2016.
  case instance
  /// The last axis of each token. - Source: Ba et al. 2016.
  case layer
  /// Groups of neighbouring channels of each image, with its pixels. - Source: Wu, He 2018.
  case group(Int)
}

/// A tensor seen as `[outer, rows, keep, fold]`: one mean and variance per `outer` and `keep`.
private struct NormalizationView {
  let outer, rows, keep, fold: Int
  var statistics: Int { outer * keep }
  var reduced: Int { rows * fold }
  var slab: Int { rows * keep * fold }
  /// Rows of one task, and tasks of one slab: set by the sizes alone.
  var rowBlock: Int { Swift.max(1, Swift.min(rows, (1 << 14) / Swift.max(keep * fold, 1))) }
  var blocks: Int { (rows + rowBlock - 1) / rowBlock }
  var shape: [Int] { [outer, rows, keep, fold] }

  init(_ shape: [Int], _ axes: NormalizationAxes) {
    require(shape.count >= 2, "normalized: shape \(shape) has no channel axis besides the batch")
    let channels = shape[shape.count - 1]
    let images = shape[0], pixels = shape.dropFirst().dropLast().reduce(1, *)
    switch axes {
    case .batch: (outer, rows, keep, fold) = (1, images * pixels, channels, 1)
    case .instance: (outer, rows, keep, fold) = (images, pixels, channels, 1)
    case .layer: (outer, rows, keep, fold) = (images * pixels, 1, 1, channels)
    case .group(let groups):
      require(groups > 0 && channels % groups == 0, "normalized: \(channels) channels do not divide into \(groups) groups")
      (outer, rows, keep, fold) = (images, pixels, groups, channels / groups)
    }
    require(rows * fold > 0, "normalized: nothing to average over in shape \(shape)")
  }

  /// Runs `body(outer index, rows, element offset, task)` over blocks of rows. Layer norm's many one-row slabs share a task.
  func parallelBlocks(_ body: @escaping (_ outer: Int, _ rows: Range<Int>, _ offset: Int, _ task: Int) -> Void) {
    let (block, blocks) = (rowBlock, self.blocks)
    parallelFor(outer * blocks, grain: Swift.max(1, (1 << 14) / Swift.max(block * keep * fold, 1))) { range in
      for task in range {
        let first = task % blocks * block
        let part = first..<Swift.min(rows, first + block)
        body(task / blocks, part, (task / blocks * rows + first) * keep * fold, task)
      }
    }
  }
}

extension Tensor {
  /// `(x - mean) / √(variance + ε)`, without affine part. The variance is the biased one.
  /// - Gradient: `(dy - mean(dy) - y · mean(dy · y)) / √(variance + ε)`; twice differentiable.
  /// - Numerics: mean first, then squares of the distances from it, each in blocks of fixed size.
  public func normalized(_ axes: NormalizationAxes, epsilon: Double = 1e-5) -> Tensor {
    normalizedWithMoments(axes, epsilon: epsilon).y
  }

  /// As `normalized`, with the mean and the biased variance as plain values (`[n]` numbers per kept index), for running statistics.
  public func normalizedWithMoments(_ axes: NormalizationAxes, epsilon: Double = 1e-5) -> (y: Tensor, mean: Tensor, variance: Tensor) {
    let view = NormalizationView(shape, axes), x = self
    let (mean, variance, rstd) = Profiler.asOne { x.moments(view, epsilon) }, y = fresh()
    view.parallelBlocks { outer, rows, offset, _ in
      let place = outer * view.keep
      y.kernels.normalize(x.address(offset), mean.address(place), rstd.address(place), rows.count, view.keep, view.fold, y.address(offset))
    }
    let recorded = y.recordedWithOutput(.normalize, from: [x]) { dy, y in
      guard Recording.isOn else { return [dy.normalizationGradient(y, rstd, view)] }
      return [y.normalizationInput(mean, rstd, view).differentiableNormalizationGradient(dy, view, epsilon)]
    }
    return (recorded, mean, variance)
  }

  private func moments(_ view: NormalizationView, _ epsilon: Double) -> (mean: Tensor, variance: Tensor, rstd: Tensor) {
    let mean = blockSums(view) { k, x, rows, _, sums in k.moment_sum(x, rows, view.keep, view.fold, sums) } * (1 / Double(view.reduced))
    let variance = blockSums(view) { k, x, rows, outer, sums in
      k.moment_square(x, mean.address(outer * view.keep), rows, view.keep, view.fold, sums)
    } * (1 / Double(view.reduced))
    return (mean, variance, 1 / (variance + epsilon).sqrt())
  }

  /// One number per outer and kept index: the sums that `kernel` forms over blocks of rows, added in order.
  private func blockSums(
    _ view: NormalizationView,
    _ kernel: @escaping (_ k: apus_kernels, _ x: UnsafeRawPointer, _ rows: Int, _ outer: Int, _ sums: UnsafeMutableRawPointer) -> Void
  ) -> Tensor {
    let (x, partial) = (detached(), fresh([view.outer, view.blocks, view.keep]))
    view.parallelBlocks { outer, rows, offset, task in
      kernel(x.kernels, x.address(offset), rows.count, outer, partial.address(task * view.keep))
    }
    return view.blocks == 1 ? partial.viewed([view.statistics]) : partial.sum([1]).viewed([view.statistics])
  }

  /// `self` is `dy`; one pass for both means, one for the result.
  private func normalizationGradient(_ y: Tensor, _ rstd: Tensor, _ view: NormalizationView) -> Tensor {
    let (dy, dx) = (self, fresh())
    let sums = dy.fresh([view.outer, view.blocks, 2, view.keep])
    view.parallelBlocks { _, rows, offset, task in
      dy.kernels.normalize_backward_sums(dy.address(offset), y.address(offset), rows.count, view.keep, view.fold,
        sums.address(2 * task * view.keep), sums.address((2 * task + 1) * view.keep))
    }
    let means = sums.sum([1]) * (1 / Double(view.reduced))  // [outer, 2, keep]
    view.parallelBlocks { outer, rows, offset, _ in
      dy.kernels.normalize_backward(dy.address(offset), y.address(offset), rstd.address(outer * view.keep),
        means.address(2 * outer * view.keep), means.address((2 * outer + 1) * view.keep), rows.count, view.keep, view.fold, dx.address(offset))
    }
    return dx
  }

  /// `self` is the recorded output `y`; its input, computed back from it rather than kept: only gradients of gradients need it.
  private func normalizationInput(_ mean: Tensor, _ rstd: Tensor, _ view: NormalizationView) -> Tensor {
    let statistics = [view.outer, 1, view.keep, 1]
    let x = detached().reshaped(to: view.shape) / rstd.viewed(statistics) + mean.viewed(statistics)
    return Tensor(shape: shape, storage: x.storage, node: node?.parents.first ?? nil)
  }

  /// The same gradient in recorded ops, for gradients of gradients.
  private func differentiableNormalizationGradient(_ dy: Tensor, _ view: NormalizationView, _ epsilon: Double) -> Tensor {
    let x = reshaped(to: view.shape), dy4 = dy.reshaped(to: view.shape)
    let centred = x - x.mean([1, 3], keepingAxes: true)
    let rstd = (centred.squared().mean([1, 3], keepingAxes: true) + epsilon).power(-0.5)
    let y = centred * rstd
    let dx = (dy4 - dy4.mean([1, 3], keepingAxes: true) - y * (dy4 * y).mean([1, 3], keepingAxes: true)) * rstd
    return dx.reshaped(to: shape)
  }
}
