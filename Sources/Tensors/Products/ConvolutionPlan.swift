/// A length in both image directions, in pixels: a kernel size, a stride, a padding.
public struct Extent: Sendable, Equatable, Codable, ExpressibleByIntegerLiteral {
  public var height, width: Int

  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// The same length in both directions.
  public init(_ length: Int) { self.init(height: length, width: length) }
  public init(integerLiteral length: Int) { self.init(length) }
}

/// Options of a convolution: it slides `stride` pixels at a time over an input with `padding` zeros around it, its taps `dilation`
/// apart, the channels in `groups` that do not mix.
public struct Conv2dOptions: Sendable, Equatable {
  public var stride: Extent
  public var padding: Extent
  public var dilation: Extent
  public var groups: Int

  public init(stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1, groups: Int = 1) {
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
  }

  /// `⌊(length + 2·padding - dilation·(kernel - 1) - 1) / stride⌋ + 1` in both directions.
  public func outputSize(of input: Extent, kernel: Extent) -> Extent {
    func size(_ axis: KeyPath<Extent, Int>) -> Int {
      let covered = dilation[keyPath: axis] * (kernel[keyPath: axis] - 1) + 1
      let free = input[keyPath: axis] + 2 * padding[keyPath: axis] - covered
      return free < 0 ? 0 : free / stride[keyPath: axis] + 1
    }
    return Extent(height: size(\.height), width: size(\.width))
  }
}

/// A convolution pass seen from its result: which pixels of the source every pixel of the destination reads, tap by tap.
///
/// The forward pass has one phase. The input gradient of a strided convolution has one per stride offset: pixels of one phase
/// read the same taps. Each phase walks the destination in steps and the source in steps, so a row of the destination is a sum
/// of matrix products of rows of the source; nothing is unrolled.
package struct ConvolutionPlan {
  struct KernelOffset {
    /// Index of the tap in the weight, row-major over its kernel.
    let weight: Int
    /// The position that this offset reads for the phase's first pixel.
    let row, column: Int
  }

  struct Phase {
    /// First destination pixel, and the step between destination pixels.
    let first, step: Extent
    /// Destination pixels of this phase.
    let size: Extent
    /// The step between source pixels.
    let sourceStep: Extent
    /// Sorted by source row, then column.
    let taps: [KernelOffset]

    /// The taps as runs; neighbouring source pixels make one run if they may be merged.
    func runs(merging: Bool) -> [Run] {
      var runs: [Run] = []
      for (place, tap) in taps.enumerated() {
        if merging, let last = runs.last, last.row == tap.row, last.column + last.weights.count == tap.column {
          runs[runs.count - 1].weights = last.weights.lowerBound..<place + 1
        } else {
          runs.append(Run(weights: place..<place + 1, row: tap.row, column: tap.column))
        }
      }
      return runs
    }

    /// The source rows that some rows of the phase read.
    func sourceRows(of rows: Range<Int>) -> Range<Int> {
      let first = taps.map(\.row).min() ?? 0, last = taps.map(\.row).max() ?? 0
      return rows.lowerBound * sourceStep.height + first..<(rows.upperBound - 1) * sourceStep.height + last + 1
    }
  }

  /// Taps that read neighbouring pixels of one source row. All runs of a phase have the same length.
  struct Run {
    /// Places in the phase's list of taps.
    var weights: Range<Int>
    /// The position that the first offset reads for the phase's first pixel.
    let row, column: Int
  }

  let phases: [Phase]
  let destination: Extent
  /// Columns of zeros beside the source; rows of zeros above and below it follow from the rows that are read.
  let left, right: Int

  /// Output pixel `o` reads input pixels `o · stride + k · dilation - padding`.
  package static func forward(input: Extent, kernel: Extent, _ options: Conv2dOptions) -> ConvolutionPlan {
    let taps = (0..<kernel.height * kernel.width).map { i in
      KernelOffset(weight: i, row: i / kernel.width * options.dilation.height - options.padding.height,
          column: i % kernel.width * options.dilation.width - options.padding.width)
    }
    let size = options.outputSize(of: input, kernel: kernel)
    let phase = Phase(first: 0, step: 1, size: size, sourceStep: options.stride, taps: taps)
    return ConvolutionPlan(phases: [phase], destination: size, source: input)
  }

  /// Input pixel `i` reads output pixels `(i + padding - k · dilation) / stride` where that divides.
  static func inputGradient(input: Extent, kernel: Extent, _ options: Conv2dOptions) -> ConvolutionPlan {
    let phases = (0..<options.stride.height * options.stride.width).compactMap { p -> Phase? in
      let first = Extent(height: p / options.stride.width, width: p % options.stride.width)
      guard first.height < input.height, first.width < input.width else { return nil }
      let taps = (0..<kernel.height * kernel.width).compactMap { i -> KernelOffset? in
        let row = first.height + options.padding.height - i / kernel.width * options.dilation.height
        let column = first.width + options.padding.width - i % kernel.width * options.dilation.width
        guard row % options.stride.height == 0, column % options.stride.width == 0 else { return nil }
        return KernelOffset(weight: i, row: row / options.stride.height, column: column / options.stride.width)
      }
      let size = Extent(height: (input.height - first.height + options.stride.height - 1) / options.stride.height,
                        width: (input.width - first.width + options.stride.width - 1) / options.stride.width)
      let ordered = taps.sorted { ($0.row, $0.column) < ($1.row, $1.column) }
      return Phase(first: first, step: options.stride, size: size, sourceStep: 1, taps: ordered)
    }
    return ConvolutionPlan(phases: phases, destination: input, source: options.outputSize(of: input, kernel: kernel))
  }

  private init(phases: [Phase], destination: Extent, source: Extent) {
    self.phases = phases
    self.destination = destination
    var left = 0, right = 0
    for phase in phases {
      for tap in phase.taps {
        left = max(left, -tap.column)
        right = max(right, tap.column + (phase.size.width - 1) * phase.sourceStep.width + 1 - source.width)
      }
    }
    (self.left, self.right) = (left, right)
  }
}
