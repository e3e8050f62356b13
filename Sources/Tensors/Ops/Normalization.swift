import Base
import CKernels

/// The elements that share a mean and a variance in a normalisation, for channels-last tensors.
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

/// An activation that a normalisation applies in its own pass.
public enum Rectifier: String, Sendable, CaseIterable {
  case none, relu
}

/// The epilogue of a normalisation, applied to the normalised `z` in the same pass:
/// `y = outputActivation(residual + activation(z · weight + bias))`.
public struct NormalizationEpilogue: Sendable {
  /// `[channels]`; 1 and 0 if missing.
  public var weight, bias: Tensor?
  public var activation: Rectifier
  /// Of the shape of `x`; 0 if missing.
  public var residual: Tensor?
  public var outputActivation: Rectifier

  public init(
    weight: Tensor? = nil, bias: Tensor? = nil, activation: Rectifier = .none, residual: Tensor? = nil, outputActivation: Rectifier = .none
  ) {
    (self.weight, self.bias, self.activation) = (weight, bias, activation)
    (self.residual, self.outputActivation) = (residual, outputActivation)
  }

  fileprivate var isRelu: Bool { activation == .relu || (residual == nil && outputActivation == .relu) }
  fileprivate var isOutputRelu: Bool { residual != nil && outputActivation == .relu }

  /// The tail by itself, where nothing is normalised.
  public func applied(to x: Tensor) -> Tensor {
    check(x)
    var y = weight.map { x * $0 } ?? x
    if let bias { y = y + bias }
    if activation == .relu { y = y.relu() }
    if let residual { y = residual + y }
    return outputActivation == .relu ? y.relu() : y
  }

  fileprivate func check(_ x: Tensor) {
    for case let vector? in [weight, bias] {
      x.requireSamePrecision(vector, "normalized")
      require(vector.shape == x.shape.suffix(1), "normalized: weight or bias of shape \(vector.shape) for a tensor of shape \(x.shape)")
    }
    guard let residual else { return }
    x.requireSamePrecision(residual, "normalized")
    require(residual.shape == x.shape, "normalized: residual of shape \(residual.shape) for a tensor of shape \(x.shape)")
  }
}

extension Tensor {
  /// `z = (x - mean) / √(variance + ε)` with the biased variance, and what follows it, in one pass: see `NormalizationEpilogue`.
  ///
  /// ```swift
  /// let y = x.normalized(.batch, NormalizationEpilogue(weight: w, bias: b, activation: .relu))
  /// ```
  /// - Gradient: with `g` the gradient of `z · weight`: `(g - mean(g) - z · mean(g · z)) / √(variance + ε)`; `x`, the means and, with a
  ///   residual and an output activation, `y` are kept for it. Twice differentiable.
  /// - Numerics: mean, then squares of the distances from it, in blocks that fit in cache; the blocks' moments are combined in double, in
  ///   order (Chan, Golub, LeVeque 1983).
  public func normalized(
    _ axes: NormalizationAxes, _ tail: NormalizationEpilogue = NormalizationEpilogue(), epsilon: Double = 1e-5
  ) -> Tensor {
    normalizedWithMoments(axes, tail, epsilon: epsilon).y
  }

  /// As `normalized`, with the mean and the biased variance as plain values (`[n]` numbers per kept index), for running statistics.
  public func normalizedWithMoments(
    _ axes: NormalizationAxes, _ tail: NormalizationEpilogue = NormalizationEpilogue(), epsilon: Double = 1e-5
  ) -> (y: Tensor, mean: Tensor, variance: Tensor) {
    tail.check(self)
    let view = NormalizationView(shape, axes), y = fresh()
    let (mean, variance, rstd) = (fresh([view.statistics]), fresh([view.statistics]), fresh([view.statistics]))
    let fused = FusedNormalization(x: self, view: view, tail: tail, mean: mean, rstd: rstd, epsilon: epsilon, isConstant: false)
    if view.blocks == 1 {
      let grain = Swift.max(1, (1 << 14) / Swift.max(view.slab, 1))
      parallelFor(view.outer, grain: grain) { slabs in  // moments and result while the slabs are in cache
        fused.moments(slabs, variance)
        fused.normalize(slabs, 0..<view.rows, into: y)
      }
    } else {
      fused.combinedMoments(variance)
      view.parallelBlocks { slab, rows, _ in fused.normalize(slab..<slab + 1, rows, into: y) }
    }
    return (fused.recorded(y), mean, variance)
  }

  /// Normalised by a given mean and variance per channel, which are constants: `z = (x - mean) / √(variance + ε)`, and what follows it.
  /// - Gradient: `weight · dy / √(variance + ε)` past the activations.
  public func normalized(
    mean: Tensor, variance: Tensor, _ tail: NormalizationEpilogue = NormalizationEpilogue(), epsilon: Double = 1e-5
  ) -> Tensor {
    tail.check(self)
    requireSamePrecision(mean, "normalized")
    require(mean.shape == shape.suffix(1) && variance.shape == mean.shape,
      "normalized: mean of shape \(mean.shape) and variance of shape \(variance.shape) for a tensor of shape \(shape)")
    let view = NormalizationView(shape, .batch, isEmptyAllowed: true), y = fresh()
    let rstd = (variance.detached() + epsilon).power(-0.5)
    let fused = FusedNormalization(x: self, view: view, tail: tail, mean: mean.detached(), rstd: rstd, epsilon: epsilon, isConstant: true)
    view.parallelBlocks { slab, rows, _ in fused.normalize(slab..<slab + 1, rows, into: y) }
    return fused.recorded(y)
  }
}

/// A tensor seen as `[outer, rows, keep, fold]`: one mean and variance per `outer` and `keep`.
private struct NormalizationView {
  let outer, rows, keep, fold: Int
  var statistics: Int { outer * keep }
  var reduced: Int { rows * fold }
  var channels: Int { keep * fold }
  var slab: Int { rows * channels }
  /// Rows of one task, and tasks of one slab: set by the sizes alone.
  var rowBlock: Int { Swift.max(1, Swift.min(rows, (1 << 14) / Swift.max(channels, 1))) }
  var blocks: Int { (rows + rowBlock - 1) / rowBlock }
  var shape: [Int] { [outer, rows, keep, fold] }
  var isLayer: Bool { rows == 1 && keep == 1 }

  init(_ shape: [Int], _ axes: NormalizationAxes, isEmptyAllowed: Bool = false) {
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
    require(rows * fold > 0 || isEmptyAllowed, "normalized: nothing to average over in shape \(shape)")
  }

  /// The first element of a row.
  func offset(_ slab: Int, _ row: Int) -> Int { (slab * rows + row) * channels }

  /// Runs `body(slab, rows, task)` over blocks of rows; small slabs share a task.
  func parallelBlocks(_ body: @escaping @Sendable (_ slab: Int, _ rows: Range<Int>, _ task: Int) -> Void) {
    let (block, blocks) = (rowBlock, self.blocks)
    parallelFor(outer * blocks, grain: Swift.max(1, (1 << 14) / Swift.max(block * channels, 1))) { range in
      for task in range {
        let first = task % blocks * block
        body(task / blocks, first..<Swift.min(rows, first + block), task)
      }
    }
  }
}

/// One normalisation with its inputs and statistics: the forward pass and the gradients.
private struct FusedNormalization: Sendable {
  let x: Tensor
  let view: NormalizationView
  var tail: NormalizationEpilogue
  /// `[outer, keep]`.
  let mean, rstd: Tensor
  let epsilon: Double
  /// Whether the statistics are given rather than taken from `x`.
  let isConstant: Bool
  private let hasResidual, isRelu, isOutputRelu: Bool

  init(x: Tensor, view: NormalizationView, tail: NormalizationEpilogue, mean: Tensor, rstd: Tensor, epsilon: Double, isConstant: Bool) {
    (self.x, self.view, self.tail, self.mean, self.rstd, self.epsilon, self.isConstant) = (x, view, tail, mean, rstd, epsilon, isConstant)
    (hasResidual, isRelu, isOutputRelu) = (tail.residual != nil, tail.isRelu, tail.isOutputRelu)
  }

  private func constants(_ slab: Int) -> apus_normalization {
    let at = slab * view.keep
    return apus_normalization(
      mean: mean.address(at), rstd: rstd.address(at), weight: tail.weight?.address(), bias: tail.bias?.address(),
      relu: isRelu ? 1 : 0, output_relu: isOutputRelu ? 1 : 0)
  }

  // MARK: Forward

  /// Moments of slabs that are one block each.
  func moments(_ slabs: Range<Int>, _ variance: Tensor) {
    let at = slabs.lowerBound * view.keep, k = x.kernels
    k.moments(x.address(view.offset(slabs.lowerBound, 0)), slabs.count, view.rows, view.keep, view.fold,
              mean.address(at), variance.address(at))
    k.combine_moments(mean.address(at), variance.address(at), slabs.count, 1, view.keep, view.reduced, view.reduced, epsilon,
                      mean.address(at), variance.address(at), rstd.address(at))
  }

  /// Moments of all slabs, block by block.
  func combinedMoments(_ variance: Tensor) {
    let means = x.fresh([view.outer, view.blocks, view.keep]), squares = x.fresh([view.outer, view.blocks, view.keep])
    view.parallelBlocks { slab, rows, task in
      x.kernels.moments(x.address(view.offset(slab, rows.lowerBound)), 1, rows.count, view.keep, view.fold,
                        means.address(task * view.keep), squares.address(task * view.keep))
    }
    let last = view.rows - (view.blocks - 1) * view.rowBlock
    x.kernels.combine_moments(means.address(), squares.address(), view.outer, view.blocks, view.keep, view.rowBlock * view.fold,
                              last * view.fold, epsilon, mean.address(), variance.address(), rstd.address())
  }

  func normalize(_ slabs: Range<Int>, _ rows: Range<Int>, into y: Tensor) {
    var options = constants(slabs.lowerBound)
    let at = view.offset(slabs.lowerBound, rows.lowerBound)
    x.kernels.normalize(&options, x.address(at), tail.residual?.address(at), slabs.count, rows.count, view.keep, view.fold, y.address(at))
  }

  // MARK: Gradients

  private var parents: [Tensor] { [x] + [tail.weight, tail.bias, tail.residual].compactMap { $0 } }

  func recorded(_ y: Tensor) -> Tensor {
    let kept = withoutResidual
    if isOutputRelu { return y.recordedWithOutput(.normalize, from: parents) { dy, y in kept.gradients(dy, y.detached()) } }
    return y.recorded(.normalize, from: parents, rule: { dy in kept.gradients(dy, nil) }, remaking: hasResidual ? nil : kept.again)
  }

  /// The parts that gradients need: no elements of the residual.
  private var withoutResidual: FusedNormalization {
    var kept = self
    kept.tail.residual = nil
    return kept
  }

  /// The result once more.
  @Sendable private func again() -> Storage {
    let y = x.fresh()
    view.parallelBlocks { slab, rows, _ in normalize(slab..<slab + 1, rows, into: y) }
    return y.storage
  }

  /// The gradients in the order of the parents.
  private func gradients(_ dy: Tensor, _ y: Tensor?) -> [Tensor?] {
    let g = Recording.isOn ? differentiableGradients(dy, y) : view.isLayer && !isConstant ? layerGradients(dy, y) : slabGradients(dy, y)
    return [g.x] + (tail.weight == nil ? [] : [g.weight]) + (tail.bias == nil ? [] : [g.bias]) + (hasResidual ? [g.residual] : [])
  }

  private typealias Parts = (x: Tensor?, weight: Tensor?, bias: Tensor?, residual: Tensor?)

  /// One pass for the sums, one for the result.
  private func slabGradients(_ dy: Tensor, _ y: Tensor?) -> Parts {
    let k = dy.kernels, (keep, fold, channels) = (view.keep, view.fold, view.channels)
    let isTrained = tail.weight?.needsGradient ?? false || tail.bias?.needsGradient ?? false
    var sums: Tensor?  // [outer, 2, channels]
    if isTrained || !isConstant {
      let partial = dy.fresh([view.outer, view.blocks, 2, channels])
      view.parallelBlocks { slab, rows, task in
        var options = constants(slab)
        let at = view.offset(slab, rows.lowerBound)
        k.normalize_backward_sums(&options, x.address(at), dy.address(at), y?.address(at), rows.count, keep, fold,
                                  partial.address(2 * task * channels), partial.address((2 * task + 1) * channels))
      }
      sums = view.blocks == 1 ? partial.viewed([view.outer, 2, channels]) : partial.sum([1])
    }
    var means: Tensor?  // [outer, 2, keep]
    if !isConstant, let sums {
      let weighted = tail.weight.map { sums * $0.detached() } ?? sums
      let folded = fold == 1 ? weighted : weighted.viewed([view.outer, 2, keep, fold]).sum([3])
      means = folded * (1 / Double(view.reduced))
    }
    let dx = dy.fresh(), rest = isOutputRelu ? dy.fresh() : nil
    view.parallelBlocks { [means] slab, rows, _ in
      var options = constants(slab)
      let at = view.offset(slab, rows.lowerBound)
      k.normalize_backward(&options, x.address(at), dy.address(at), y?.address(at), means?.address(2 * slab * keep), rows.count, keep, fold,
                           dx.address(at), rest?.address(at))
    }
    return parts(dx, rest ?? dy, sums.map { view.outer == 1 ? $0.viewed([2, channels]) : $0.sum([0]) })
  }

  /// Tokens are short: sums and result in one pass.
  private func layerGradients(_ dy: Tensor, _ y: Tensor?) -> Parts {
    let channels = view.channels, grain = Swift.max(1, Swift.min(512, (1 << 14) / Swift.max(channels, 1)))
    let tasks = (view.outer + grain - 1) / grain
    let dx = dy.fresh(), rest = isOutputRelu ? dy.fresh() : nil, partial = dy.fresh([tasks, 2, channels])
    parallelFor(view.outer, grain: grain) { tokens in
      var options = constants(tokens.lowerBound)
      let at = tokens.lowerBound * channels, task = tokens.lowerBound / grain
      dy.kernels.layer_backward(&options, x.address(at), dy.address(at), y?.address(at), tokens.count, channels, dx.address(at),
                                rest?.address(at), partial.address(2 * task * channels), partial.address((2 * task + 1) * channels))
    }
    guard tasks > 0 else { return parts(dx, rest ?? dy, .zeros([2, channels], dy.precision)) }
    return parts(dx, rest ?? dy, tasks == 1 ? partial.viewed([2, channels]) : partial.sum([0]))
  }

  /// - Parameter sums: of `g` and `g · z` over all rows, `[2, channels]`.
  private func parts(_ dx: Tensor, _ rest: Tensor, _ sums: Tensor?) -> Parts {
    func vector(_ i: Int, _ parent: Tensor?) -> Tensor? {
      guard let parent, parent.needsGradient else { return nil }
      return sums?.sliced(0, i..<i + 1).viewed([view.channels])
    }
    return (dx, vector(1, tail.weight), vector(0, tail.bias), rest)
  }

  /// The same gradients in recorded ops, for gradients of gradients.
  private func differentiableGradients(_ dy: Tensor, _ y: Tensor?) -> Parts {
    let x4 = x.reshaped(to: view.shape)
    let centre = isConstant ? mean.viewed([1, 1, view.keep, 1]) : x4.mean([1, 3], keepingAxes: true)
    let centred = x4 - centre
    let spread = isConstant ? rstd.viewed([1, 1, view.keep, 1])
      : (centred.squared().mean([1, 3], keepingAxes: true) + epsilon).power(-0.5)
    let z4 = centred * spread, z = z4.reshaped(to: x.shape)
    let rest = y.map { dy.gated(by: $0) } ?? dy
    let g = isRelu ? rest.gated(by: scaled(z.detached())) : rest
    let g4 = (tail.weight.map { g * $0 } ?? g).reshaped(to: view.shape)
    let moved = isConstant ? g4 : g4 - g4.mean([1, 3], keepingAxes: true) - z4 * (g4 * z4).mean([1, 3], keepingAxes: true)
    return ((moved * spread).reshaped(to: x.shape), tail.weight.map { (g * z).summed(to: $0.shape) },
            tail.bias.map { g.summed(to: $0.shape) }, rest)
  }

  /// `z · weight + bias` as a plain value.
  private func scaled(_ z: Tensor) -> Tensor {
    let weighted = tail.weight.map { z * $0.detached() } ?? z
    return tail.bias.map { weighted + $0.detached() } ?? weighted
  }
}
