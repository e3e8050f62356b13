/// The weight gradient of a convolution: for every tap, the product of shifted input rows with output-gradient rows, summed over rows
/// and images.
///
/// Rows are summed in chunks that depend on the sizes alone; the chunks' sums are added in order.
struct WeightProduct {
  let phase: TapPlan.Phase
  let groups: Int
  /// Input and output channels of one group.
  let depth, columns: Int
  let path: ProductPath
  private static let columnBlock = 64

  init(_ plan: TapPlan, groups: Int, depth: Int, columns: Int, precision: Precision) {
    phase = plan.phases[0]
    self.groups = groups
    self.depth = depth
    self.columns = columns
    path = precision == .float32 && depth >= ProductPath.leastDepth ? ProductPath.current : .openblas
  }

  private var channels: Int { groups * columns }
  private var weightCount: Int { phase.taps.count * depth * channels }

  /// - Parameters:
  ///   - source: the padded input.
  ///   - dy: the output gradient, `[n, oh, ow, groups · columns]`.
  ///   - dw: `[taps, depth, groups · columns]`.
  func run(_ source: PaddedSource, _ dy: Tensor, into dw: Tensor) {
    let rows = dy.shape[0] * phase.size.height
    guard rows > 0, phase.size.width > 0 else { return dw.kernels.fill(dw.address(), dw.count, 0) }
    let bands = path == .xsmm ? phase.taps.count : 1  // with generated code, every tap is a task of its own
    let chunk = chunkRows(rows, bands: bands), chunks = (rows + chunk - 1) / chunk
    let partial = chunks == 1 ? dw : dw.fresh([chunks, weightCount])
    parallelFor(chunks * bands) { range in
      for task in range {
        let first = task / bands * chunk, place = task / bands * weightCount, tap = task % bands
        let part = first..<Swift.min(rows, first + chunk)
        if path == .xsmm, reduceInPlace(tap, source, dy, part, partial, place) { continue }
        let taps = path == .xsmm ? phase.taps[tap...tap] : phase.taps[...]
        reduceGathered(taps, source, dy, part, partial, place)
      }
    }
    guard chunks > 1 else { return }
    let grain = 1 << 12
    parallelFor(weightCount, grain: grain) { range in
      for chunk in 0..<chunks {
        let part = partial.address(chunk * weightCount + range.lowerBound), y = dw.address(range.lowerBound)
        if chunk == 0 {
          y.copyMemory(from: part, byteCount: range.count * dw.precision.byteCount)
        } else {
          dw.kernels.accumulate(part, y, range.count)
        }
      }
    }
  }

  /// Some 16 tasks in all, fewer if they would be smaller than a Mflop: partial sums are read again, so there should be few.
  private func chunkRows(_ rows: Int, bands: Int) -> Int {
    let perRow = phase.size.width * weightCount / bands
    let chunks = Swift.min(Swift.max(1, 16 / bands), Swift.max(1, rows * perRow >> 19))
    return (rows + chunks - 1) / chunks
  }

  private func sourceRow(_ tap: TapPlan.Tap, _ source: PaddedSource, _ row: Int, _ group: Int) -> UnsafeRawPointer {
    let (image, y) = (row / phase.size.height, row % phase.size.height)
    return source.address(image, tap.row + y * phase.sourceStep.height, tap.column, group * depth)
  }

  /// LIBXSMM: `dw[tap] = Σ rows xᵀ · dy`, input rows read in place; false if there is no code for the shape.
  private func reduceInPlace(
    _ tap: Int, _ source: PaddedSource, _ dy: Tensor, _ rows: Range<Int>, _ dw: Tensor, _ place: Int
  ) -> Bool {
    for group in 0..<groups {
      let a = rows.map { row -> UnsafePointer<Float>? in
        sourceRow(phase.taps[tap], source, row, group).assumingMemoryBound(to: Float.self)
      }
      for start in stride(from: 0, to: columns, by: Self.columnBlock) {
        guard let kernel = BatchReduce(
          rows: depth, columns: Swift.min(Self.columnBlock, columns - start), depth: phase.size.width,
          aStride: phase.sourceStep.width * source.channels, bStride: channels, cStride: channels, aIsTransposed: true)
        else { return false }
        let column = group * columns + start
        let b = rows.map { row -> UnsafePointer<Float>? in
          UnsafePointer(dy.address(row * phase.size.width * channels + column).assumingMemoryBound(to: Float.self))
        }
        kernel.run(a, b, into: dw.address(place + tap * depth * channels + column))
      }
    }
    return true
  }

  /// OpenBLAS: rows are gathered side by side, some at a time, and the products added up.
  private func reduceGathered(
    _ taps: ArraySlice<TapPlan.Tap>, _ source: PaddedSource, _ dy: Tensor, _ rows: Range<Int>, _ dw: Tensor, _ place: Int
  ) {
    let inner = taps.count * depth, width = phase.size.width
    let together = Swift.max(1, Swift.min(rows.count, (1 << 17) / Swift.max(width * inner, 1)))
    withScratch(together * width * inner, dw.precision) { scratch in
      for group in 0..<groups {
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: together) {
          let count = Swift.min(together, rows.upperBound - first)
          for row in first..<first + count {
            let pointers = taps.map { tap -> UnsafeRawPointer? in sourceRow(tap, source, row, group) }
            dw.kernels.gather_taps(pointers, taps.count, width, phase.sourceStep.width * source.channels, depth,
                                   scratch + (row - first) * width * inner * dw.precision.byteCount)
          }
          BLAS.multiply(dw.precision, m: inner, n: columns, k: count * width,
            .init(address: scratch, stride: inner, isTransposed: true),
            .init(address: dy.address(first * width * channels + group * columns), stride: channels),
            into: dw.address(place + taps.startIndex * depth * channels + group * columns), stride: channels,
            beta: first == rows.lowerBound ? 0 : 1)
        }
      }
    }
  }
}
