/// The forward pass or the input gradient of a convolution: every destination row is a sum of products of source rows with weights.
struct TapProduct {
  let plan: TapPlan
  let groups: Int
  let path: ProductPath
  /// Channels of one group, in and out.
  private let depth, columns: Int
  private let destinationChannels: Int
  /// Columns of one product: LIBXSMM is fastest when the weights of a block stay in the second-level cache.
  private static let columnBlock = 64

  /// - Parameters:
  ///   - depth: source channels of one group.
  ///   - columns: destination channels of one group.
  init(_ plan: TapPlan, groups: Int, depth: Int, columns: Int, precision: Precision) {
    self.plan = plan
    self.groups = groups
    self.depth = depth
    self.columns = columns
    destinationChannels = groups * columns
    path = precision == .float32 ? ProductPath.current : .openblas
  }

  /// - Parameters:
  ///   - x: the source, `[n, h, w, groups · depth]`.
  ///   - weight: `[taps, depth, groups · columns]`.
  ///   - bias: `[groups · columns]`, added to every pixel.
  func run(_ x: Tensor, _ weight: Tensor, bias: Tensor?, into y: Tensor) {
    let source = PaddedSource(x, plan), images = x.shape[0]
    for phase in plan.phases {
      guard !phase.taps.isEmpty else {
        fill(phase, y)
        if let bias { parallelRows(phase, images) { addBias(bias, phase, $0, $1, y) } }
        continue
      }
      let weights = packed(weight, phase)
      if path == .xsmm, let kernels = Kernels(self, phase, sourceStride: source.channels) {
        parallelRows(phase, images) { image, rows in
          for row in rows { kernels.run(self, phase, source, weights, image, row, into: y) }
          if let bias { addBias(bias, phase, image, rows, y) }
        }
      } else {
        parallelRows(phase, images) { image, rows in
          multiplyGathered(phase, source, weights, image, rows, into: y)
          if let bias { addBias(bias, phase, image, rows, y) }
        }
      }
    }
  }

  /// Rows of one task, so that it has about 4 Mflop: set by the sizes alone.
  private func parallelRows(_ phase: TapPlan.Phase, _ images: Int, _ body: @escaping (_ image: Int, _ rows: Range<Int>) -> Void) {
    let work = phase.size.width * Swift.max(phase.taps.count, 1) * depth * destinationChannels
    let block = Swift.max(1, Swift.min(phase.size.height, (1 << 21) / Swift.max(work, 1)))
    let blocks = (phase.size.height + block - 1) / block
    parallelFor(images * blocks) { range in
      for task in range {
        let first = task % blocks * block
        body(task / blocks, first..<Swift.min(phase.size.height, first + block))
      }
    }
  }

  /// The weights of the phase's taps in its order, `[taps, depth, channels]`; the weights themselves if that is their order.
  private func packed(_ weight: Tensor, _ phase: TapPlan.Phase) -> Tensor {
    let order = phase.taps.map(\.weight)
    return order == Array(0..<weight.shape[0]) ? weight : weight.detached().gathered(0, order)
  }

  private func place(_ phase: TapPlan.Phase, _ image: Int, _ row: Int) -> Int {
    let y = phase.first.height + row * phase.step.height
    return ((image * plan.destination.height + y) * plan.destination.width + phase.first.width) * destinationChannels
  }

  private func addBias(_ bias: Tensor, _ phase: TapPlan.Phase, _ image: Int, _ rows: Range<Int>, _ y: Tensor) {
    let stride = phase.step.width * destinationChannels
    for row in rows {
      y.kernels.add_bias(bias.address(), phase.size.width, destinationChannels, stride, y.address(place(phase, image, row)))
    }
  }

  private func fill(_ phase: TapPlan.Phase, _ y: Tensor) {
    for image in 0..<y.shape[0] {
      for row in 0..<phase.size.height {
        for column in 0..<phase.size.width {
          let pixel = place(phase, image, row) + column * phase.step.width * destinationChannels
          y.kernels.fill(y.address(pixel), destinationChannels, 0)
        }
      }
    }
  }

  // MARK: OpenBLAS: rows are gathered side by side, then one product

  private func multiplyGathered(
    _ phase: TapPlan.Phase, _ source: PaddedSource, _ weights: Tensor, _ image: Int, _ rows: Range<Int>, into y: Tensor
  ) {
    let pixels = phase.size.width, inner = phase.taps.count * depth
    let isContiguous = phase.step == 1
    withScratch((isContiguous ? rows.count : 1) * pixels * inner, y.precision) { scratch in
      for group in 0..<groups {
        for row in rows {
          let place = scratch + (isContiguous ? (row - rows.lowerBound) * pixels * inner * y.precision.byteCount : 0)
          gather(phase, source, image, row, group, y, into: place)
          if !isContiguous { multiply(scratch, pixels, inner, weights, group, y, place: self.place(phase, image, row), phase) }
        }
        guard isContiguous else { continue }
        multiply(scratch, rows.count * pixels, inner, weights, group, y, place: place(phase, image, rows.lowerBound), phase)
      }
    }
  }

  private func gather(
    _ phase: TapPlan.Phase, _ source: PaddedSource, _ image: Int, _ row: Int, _ group: Int, _ y: Tensor,
    into scratch: UnsafeMutableRawPointer
  ) {
    let taps = phase.taps.map { tap -> UnsafeRawPointer? in
      source.address(image, tap.row + row * phase.sourceStep.height, tap.column, group * depth)
    }
    y.kernels.gather_taps(taps, taps.count, phase.size.width, phase.sourceStep.width * source.channels, depth, scratch)
  }

  private func multiply(
    _ scratch: UnsafeRawPointer, _ pixels: Int, _ inner: Int, _ weights: Tensor, _ group: Int, _ y: Tensor, place: Int,
    _ phase: TapPlan.Phase
  ) {
    BLAS.multiply(y.precision, m: pixels, n: columns, k: inner, .init(address: scratch, stride: inner),
      .init(address: weights.address(group * columns), stride: destinationChannels),
      into: y.address(place + group * columns), stride: phase.step.width * destinationChannels)
  }

  // MARK: LIBXSMM: source rows are read in place

  /// Generated code for the rows of one phase: one kernel for full column blocks, one for the rest.
  private struct Kernels {
    private let blocks: [(start: Int, kernel: BatchReduce)]

    init?(_ product: TapProduct, _ phase: TapPlan.Phase, sourceStride: Int) {
      guard product.depth >= ProductPath.leastDepth else { return nil }
      var blocks: [(Int, BatchReduce)] = []
      for start in stride(from: 0, to: product.columns, by: TapProduct.columnBlock) {
        guard let kernel = BatchReduce(
          rows: phase.size.width, columns: Swift.min(TapProduct.columnBlock, product.columns - start), depth: product.depth,
          aStride: phase.sourceStep.width * sourceStride, bStride: product.destinationChannels,
          cStride: phase.step.width * product.destinationChannels)
        else { return nil }
        blocks.append((start, kernel))
      }
      self.blocks = blocks
    }

    func run(
      _ product: TapProduct, _ phase: TapPlan.Phase, _ source: PaddedSource, _ weights: Tensor, _ image: Int, _ row: Int, into y: Tensor
    ) {
      for group in 0..<product.groups {
        let a = phase.taps.map { tap -> UnsafePointer<Float>? in
          source.address(image, tap.row + row * phase.sourceStep.height, tap.column, group * product.depth)
            .assumingMemoryBound(to: Float.self)
        }
        for block in blocks {
          let column = group * product.columns + block.start
          let b = phase.taps.indices.map { tap -> UnsafePointer<Float>? in
            UnsafePointer(weights.address(tap * product.depth * product.destinationChannels + column)
              .assumingMemoryBound(to: Float.self))
          }
          block.kernel.run(a, b, into: y.address(product.place(phase, image, row) + column))
        }
      }
    }
  }
}
