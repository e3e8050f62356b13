import Base

// Convolution, its input gradient (the transposed convolution) and its weight gradient: three ops, each linear in both factors, whose
// gradient rules are the other two. Gradients of gradients of any order follow.

extension Tensor {
  /// 2-D convolution (cross-correlation, as in all frameworks) with optional scale, bias, residual and activation:
  /// `activation((x * w) · scale + residual + bias)`.
  /// - Shape: `x [n, h, w, in]`, weight `[kh, kw, in / groups, out]`, scale and bias `[out]` → `[n, oh, ow, out]`, the shape of the
  ///   residual.
  /// - Gradient: with `g` the gradient past the activation: `convolutionInputGradient` and `convolutionWeightGradient` of `g · scale`, the
  ///   sum of `g` over pixels for the bias, `g` for the residual; for the scale, that of `g · (x * w)`, which is computed again.
  public func conv2d(
    with weight: Tensor, scale: Tensor? = nil, bias: Tensor? = nil, _ options: Conv2dOptions = Conv2dOptions(),
    activation: FusedActivation? = nil, residual: Tensor? = nil
  ) -> Tensor {
    let g = ConvolutionShapes(x: shape, weight: weight.shape, options, op: "conv2d")
    requireSamePrecision(weight, "conv2d")
    for case let (name, vector?) in [("scale", scale), ("bias", bias)] {
      requireSamePrecision(vector, "conv2d")
      require(vector.shape == [g.out], "conv2d: \(name) of shape \(vector.shape), expected [\(g.out)]")
    }
    let (x, y) = (self, fresh([g.n, g.output.height, g.output.width, g.out]))
    if let residual {
      requireSamePrecision(residual, "conv2d")
      require(residual.shape == y.shape, "conv2d: residual of shape \(residual.shape), expected \(y.shape)")
    }
    let epilogue = Epilogue(scale: scale, bias: bias, activation: activation, residual: residual.map { ($0, y) })
    var algorithm: ConvolutionAlgorithm?
    if g.isPointwise, y.count > 0 {
      algorithm = .pointwise(GEMM(batch: 1, m: y.count / g.out, n: g.out, k: g.in, epilogue: epilogue).run(x, weight, into: y))
    } else if y.count > 0 {
      let product = DirectConvolution(
        plan: .forward(input: g.input, kernel: g.kernel, options), groups: options.groups, depth: g.in / options.groups,
        columns: g.out / options.groups)
      let taps = StridedMatrix(tensor: weight, row: g.out, column: 1, tap: g.in / options.groups * g.out, group: g.out / options.groups)
      algorithm = product.run(x, taps, epilogue, into: y)
    }
    Profiler.count(flops: g.flops, by: algorithm)
    let parents = [x, weight] + [scale, bias, residual].compactMap { $0 }
    let (saved, kernel, rest) = (SavedTensor(x), SavedTensor(weight), residual.map(\.withoutElements))
    @Sendable func gradients(_ dy: Tensor) -> [Tensor?] {
      let ds = scale.map { $0.needsGradient ? (dy * saved.tensor.conv2d(with: kernel.tensor, options)).sum([0, 1, 2]) : nil }
      let isScaled = scale != nil && (saved.needsGradient || kernel.needsGradient)
      let scaled = isScaled ? scale.map { dy * $0 } ?? dy : dy
      return [saved.needsGradient ? scaled.convolutionInputGradient(kernel.tensor, inputSize: g.input, options) : nil,
              kernel.needsGradient ? saved.tensor.convolutionWeightGradient(scaled, kernel: g.kernel, options) : nil]
        + (ds.map { [$0] } ?? []) + (bias.map { [$0.needsGradient ? dy.sum([0, 1, 2]) : nil] } ?? [])
        + (rest.map { [$0.ifNeeded == nil ? nil : dy] } ?? [])
    }
    guard let activation else { return y.recorded(.convolution, by: algorithm, from: parents, rule: gradients) }
    return y.recordedWithOutput(.convolution, by: algorithm, from: parents) { dy, y in gradients(activation.gradient(dy, y)) }
  }

  /// `activation(x W + b)` over the last axis, in one op: a convolution of single pixels.
  /// - Shape: `[..., in]`, weight `[in, out]`, bias `[out]` → `[..., out]`.
  public func linear(by weight: Tensor, bias: Tensor? = nil, activation: FusedActivation? = nil) -> Tensor {
    require(rank >= 1 && weight.rank == 2, "linear: expected x [..., in] and weight [in, out], got \(shape) and \(weight.shape)")
    return reshaped(to: [1, 1, -1, shape[rank - 1]])
      .conv2d(with: weight.reshaped(to: [1, 1] + weight.shape), bias: bias, activation: activation)
      .reshaped(to: shape.dropLast() + [weight.shape[1]])
  }

  /// The transpose of `conv2d(with: weight, how)`: its input gradient for the output gradient `self`.
  /// - Shape: `dy [n, oh, ow, out]`, weight `[kh, kw, in / groups, out]` → `[n, inputSize, in]`.
  /// - Gradient: `conv2d`, and `convolutionWeightGradient`.
  public func convolutionInputGradient(_ weight: Tensor, inputSize: Extent, _ options: Conv2dOptions) -> Tensor {
    let dy = self, channels = weight.rank == 4 ? weight.shape[2] * options.groups : 0
    let g = ConvolutionShapes(
      x: [dy.shape[0], inputSize.height, inputSize.width, channels], weight: weight.shape, options, op: "convolutionInputGradient")
    dy.requireSamePrecision(weight, "convolutionInputGradient")
    require(dy.shape == g.outputShape, "convolutionInputGradient: output gradient of shape \(dy.shape), expected \(g.outputShape)")
    let dx = dy.fresh([g.n, g.input.height, g.input.width, g.in])
    var algorithm: ConvolutionAlgorithm?
    if g.isPointwise, dx.count > 0 {
      algorithm = .pointwise(GEMM(batch: 1, m: dx.count / g.in, n: g.in, k: g.out, isBTransposed: true).run(dy, weight, into: dx))
    } else if dx.count > 0 {
      let product = DirectConvolution(
        plan: .inputGradient(input: g.input, kernel: g.kernel, options), groups: options.groups, depth: g.out / options.groups,
        columns: g.in / options.groups)
      let taps = StridedMatrix(tensor: weight, row: 1, column: g.out, tap: g.in / options.groups * g.out, group: g.out / options.groups)
      algorithm = product.run(dy, taps, Epilogue(), into: dx)
    }
    Profiler.count(flops: g.flops, by: algorithm)
    let (gradient, kernel) = (SavedTensor(dy), SavedTensor(weight))
    return dx.recorded(.convolutionInputGradient, by: algorithm, from: [dy, weight]) { ddx in
      [gradient.needsGradient ? ddx.conv2d(with: kernel.tensor, options) : nil,
       kernel.needsGradient ? ddx.convolutionWeightGradient(gradient.tensor, kernel: g.kernel, options) : nil]
    }
  }

  /// The weight gradient of a convolution of `self` whose output gradient is `dy`.
  /// - Shape: `x [n, h, w, in]`, `dy [n, oh, ow, out]` → `[kh, kw, in / groups, out]`.
  /// - Gradient: `convolutionInputGradient`, and `conv2d`.
  public func convolutionWeightGradient(_ dy: Tensor, kernel: Extent, _ options: Conv2dOptions) -> Tensor {
    let x = self
    let (_, _, _, channels) = x.shape4, (_, _, _, out) = dy.shape4
    let shape = [kernel.height, kernel.width, channels / options.groups, out]
    let g = ConvolutionShapes(x: x.shape, weight: shape, options, op: "convolutionWeightGradient")
    x.requireSamePrecision(dy, "convolutionWeightGradient")
    require(dy.shape == g.outputShape, "convolutionWeightGradient: output gradient of shape \(dy.shape), expected \(g.outputShape)")
    let dw = x.fresh(shape)
    let algorithm: ConvolutionAlgorithm
    if g.isPointwise {
      algorithm = .pointwise(GEMM(batch: 1, m: g.in, n: g.out, k: x.count / g.in, isATransposed: true).run(x, dy, into: dw))
    } else {
      let product = WeightGradient(
        .forward(input: g.input, kernel: g.kernel, options), groups: options.groups, depth: g.in / options.groups,
        columns: g.out / options.groups)
      algorithm = product.run(x, dy, into: dw)
    }
    Profiler.count(flops: g.flops, by: algorithm)
    let (saved, gradient) = (SavedTensor(x), SavedTensor(dy))
    return dw.recorded(.convolutionWeightGradient, by: algorithm, from: [x, dy]) { ddw in
      [saved.needsGradient ? gradient.tensor.convolutionInputGradient(ddw, inputSize: g.input, options) : nil,
       gradient.needsGradient ? saved.tensor.conv2d(with: ddw, options) : nil]
    }
  }

  /// Transposed convolution ("deconvolution") with optional bias: the input gradient of the convolution that has this weight.
  /// - Shape: `[n, h, w, in]`, weight `[kh, kw, out / groups, in]` →
  ///   `[n, (h - 1)·stride - 2·padding + dilation·(kh - 1) + outputPadding + 1, …, out]`.
  public func convTranspose2d(
    with weight: Tensor, bias: Tensor? = nil, _ options: Conv2dOptions = Conv2dOptions(), outputPadding: Extent = 0
  ) -> Tensor {
    let (_, h, w, _) = shape4, (kh, kw, _, _) = weight.shape4
    require(outputPadding.height < Swift.max(options.stride.height, options.dilation.height)
      && outputPadding.width < Swift.max(options.stride.width, options.dilation.width),
      "convTranspose2d: output padding \(outputPadding) must be smaller than stride \(options.stride) or dilation \(options.dilation)")
    let size = Extent(
      height: (h - 1) * options.stride.height - 2 * options.padding.height + options.dilation.height * (kh - 1) + outputPadding.height + 1,
      width: (w - 1) * options.stride.width - 2 * options.padding.width + options.dilation.width * (kw - 1) + outputPadding.width + 1)
    let y = convolutionInputGradient(weight, inputSize: size, options)
    return bias.map { y + $0 } ?? y
  }
}

/// The sizes of one convolution, checked.
private struct ConvolutionShapes {
  let n, `in`, out: Int
  let input, kernel, output: Extent
  let isPointwise: Bool
  private let groups: Int

  init(x: [Int], weight: [Int], _ options: Conv2dOptions, op: String) {
    require(x.count == 4 && weight.count == 4,
      "\(op): expected x [n, h, w, c] and weight [kh, kw, c / groups, out], got \(x) and \(weight)")
    require(options.groups > 0 && x[3] == weight[2] * options.groups,
      "\(op): input \(x) has \(x[3]) channels, weight \(weight) expects \(weight[2] * options.groups) (groups \(options.groups))")
    require(weight[3] % options.groups == 0, "\(op): \(weight[3]) output channels do not divide into \(options.groups) groups")
    n = x[0]
    `in` = x[3]
    out = weight[3]
    groups = options.groups
    input = Extent(height: x[1], width: x[2])
    kernel = Extent(height: weight[0], width: weight[1])
    output = options.outputSize(of: input, kernel: kernel)
    isPointwise = kernel == 1 && options.stride == 1 && options.padding == 0 && groups == 1
    // Single pixels may be none: a linear layer of no rows.
    require(isPointwise || output.height > 0 && output.width > 0, "\(op): input \(x) is smaller than the kernel \(weight); pad it")
  }

  var outputShape: [Int] { [n, output.height, output.width, out] }
  /// Of each of the three ops; taps in the padding count.
  var flops: Int { 2 * outputShape.reduce(1, *) * kernel.height * kernel.width * (`in` / groups) }
}
