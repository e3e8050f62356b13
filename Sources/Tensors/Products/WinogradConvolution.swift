import CKernels

/// A tile of Winograd's algorithms: `results` pixels of a convolution of stride 1 from as many products as its window has pixels.
public struct WinogradTile: Sendable, Equatable, CustomStringConvertible {
  /// For the loops: one of `apus_winograd`.
  let index: Int32
  let kernel, results: Extent

  static let all = [
    WinogradTile(index: Int32(APUS_WINOGRAD_3X3.rawValue), kernel: 3, results: Extent(height: 2, width: 4)),
    WinogradTile(index: Int32(APUS_WINOGRAD_1X5.rawValue), kernel: Extent(height: 1, width: 5), results: Extent(height: 1, width: 4)),
    WinogradTile(index: Int32(APUS_WINOGRAD_5X1.rawValue), kernel: Extent(height: 5, width: 1), results: Extent(height: 4, width: 1)),
  ]

  /// The pixels that a tile reads.
  var window: Extent { Extent(height: results.height + kernel.height - 1, width: results.width + kernel.width - 1) }
  /// Products of a tile.
  var planes: Int { window.height * window.width }

  /// In the literature's words: `F(2x4, 3x3)`.
  public var description: String { "F(\(results.height)x\(results.width), \(kernel.height)x\(kernel.width))" }

  /// Channels and pixels below which transforms cost more than they save.
  private static let fewestChannels = 16
  private static let fewestPixels = 128

  /// The tile for a convolution; `nil` where the definition serves better: other kernels, strides and groups, few channels or few pixels.
  static func serving(_ plan: ConvolutionPlan, groups: Int, channels: Int, images: Int) -> WinogradTile? {
    let phase = plan.phases[0]
    guard groups == 1, plan.phases.count == 1, channels >= fewestChannels, images * phase.size.height * phase.size.width >= fewestPixels
    else { return nil }
    return matching(phase)
  }

  /// The form whose kernel are the taps of a phase.
  private static func matching(_ phase: ConvolutionPlan.Phase) -> WinogradTile? {
    guard phase.step == 1, phase.sourceStep == 1, let first = phase.taps.first else { return nil }
    return all.first { form in
      phase.taps.count == form.kernel.height * form.kernel.width && phase.taps.enumerated().allSatisfy { place, tap in
        tap.row == first.row + place / form.kernel.width && tap.column == first.column + place % form.kernel.width
      }
    }
  }
}

/// The tiles that the result of a convolution is cut into, for Winograd's algorithms.
///
/// - Numerics: errors are relative to the largest values of a window, not to each single product as with the definition. Measured as the
///   root mean square over all outputs, relative to that of the sums of magnitudes: 2e-8 to 2e-7. In errors of plain float32 sums
///   (OpenBLAS), for random and badly scaled inputs and where channels cancel each other: 3x3 at most 2.7 and 4.3, five taps at most 4.8
///   and 5.7. Larger tiles are faster still (4x4 results of 3x3: by 3 % of a step of RAFT) but less exact (4.4 and 6.8).
/// - Source: Lavin, Gray, "Fast algorithms for convolutional neural networks", CVPR 2016.
struct WinogradGrid {
  let form: WinogradTile
  /// Results, and tiles in both directions.
  let size: Extent
  let rows, columns: Int
  /// The start of the first tile's window.
  let row, column: Int
  /// Columns of zeros beside the source.
  let left, right: Int
  /// Transformed source in one task's memory.
  private static let stripElements = 160 << 10
  /// Tiles that make reading a panel of weights worth while.
  private static let fewestTiles = 12
  init(_ tile: WinogradTile, _ plan: ConvolutionPlan, sourceWidth width: Int) {
    let phase = plan.phases[0]
    (form, size) = (tile, phase.size)
    rows = (size.height + form.results.height - 1) / form.results.height
    columns = (size.width + form.results.width - 1) / form.results.width
    (row, column) = (phase.taps[0].row, phase.taps[0].column)
    left = Swift.max(0, -column)
    right = Swift.max(0, column + form.results.width * (columns - 1) + form.window.width - width)
  }

  /// Rows of tiles whose transformed source stays in the second-level cache, one at least.
  func block(depth: Int) -> Int { Swift.max(1, Self.stripElements / (form.planes * columns * depth)) }

  /// Elements from one plane of transformed values to the next: a plane's rows, and a cache line, so that the same place of all planes
  /// does not fall into the same lines of the cache.
  static func plane(_ tiles: Int, _ channels: Int) -> Int { tiles * channels + 16 }

  /// Some rows of tiles, counted through all images: a strip of one image, or several small images.
  typealias Strip = Range<Int>

  /// All rows of tiles, in strips of at most `block(depth:)` rows.
  /// - Parameter wanted: strips that make work for all threads, if there are tiles enough.
  func strips(images: Int, depth: Int, wanted: Int = 1) -> [Strip] {
    let block = block(depth: depth), all = images * rows
    let count = Swift.min(all, Swift.max((all + block - 1) / block, Swift.min(wanted, all * columns / Self.fewestTiles)))
    return (0..<count).map { (0..<all).part($0, of: count) }
  }

  /// Transforms the windows of a strip into `v`: `[planes, tiles, channels]`, planes `plane` apart.
  func transform(_ x: Tensor, _ strip: Strip, into v: UnsafeMutableRawPointer, plane: Int) {
    let channels = x.shape[3], height = form.results.height
    for image in strip.lowerBound / rows...(strip.upperBound - 1) / rows {
      let block = strip.clamped(to: image * rows..<(image + 1) * rows)
      let (first, last) = (block.lowerBound - image * rows, block.upperBound - 1 - image * rows)
      let source = height * first + row..<height * last + row + form.window.height
      PaddedRows.with(x, image: image, rows: source, left: left, right: right) { padded in
        for index in first...last {
          let place = (image * rows + index - strip.lowerBound) * columns * channels * x.precision.byteCount
          x.kernels.winograd_input(
            form.index, padded.address(height * index + row, column), padded.pitch, channels, columns, v + place, plane)
        }
      }
    }
  }

  /// A matrix in each plane of transformed values; planes, rows and columns are so many elements apart.
  struct Planes<Address> {
    let base: Address
    let plane, row: Int
    var column = 1
  }

  /// For each plane the product `c = a · b`, or `c += a · b`, where `a` is `[rows, depth]`, `b` a packed panel and `c` `[rows, columns]`.
  func multiplyPlanes(
    _ a: Planes<UnsafeRawPointer>, _ b: Planes<UnsafeRawPointer>, into c: Planes<UnsafeMutableRawPointer>, rows: Int, columns: Int,
    depth: Int, _ precision: Precision, adds: Bool = false
  ) {
    let bytes = precision.byteCount
    let kernels = precision.kernels
    var options = apus_product(
      rows: rows, columns: columns, depth: depth, tap_count: 1, taps: apus_one_tap(), a_row: a.row, a_depth: a.column, c_row: c.row,
      adds: adds ? 1 : 0, next: apus_fetch())
    for plane in 0..<form.planes {
      kernels.product(
        &options, a.base + plane * a.plane * bytes, b.base + plane * b.plane * bytes, c.base + plane * c.plane * bytes)
    }
  }

  /// The pixels of a row of tiles, for some columns of `[n, height, width, channels]`.
  func pixels(_ index: Int, columns: Int, channels: Int) -> apus_pixels {
    apus_pixels(rows: Swift.min(form.results.height, size.height - form.results.height * index), pixels: size.width, columns: columns,
                row: size.width * channels, pixel: channels)
  }

  /// The first element of a row of tiles.
  func place(image: Int, row: Int, column: Int, channels: Int) -> Int {
    (image * size.height + form.results.height * row) * size.width * channels + column
  }
}

/// The forward pass or the input gradient of a convolution by Winograd's algorithm.
struct WinogradConvolution {
  let tiles: WinogradGrid
  let depth, columns: Int
  /// The kernel's taps in the order of the source pixels they read.
  let taps: [Int]
  /// Products of a strip and a panel that are work for all threads.
  private static let wantedTasks = 8
  /// Strips from which every task transforms its own source; fewer share one that is transformed before.
  private static let manyStrips = 8
  /// Panels from which there is work for all threads if each is one task.
  private static let manyPanels = 8

  /// - Parameters: as those of `DirectConvolution.run`.
  func run(_ x: Tensor, _ weight: StridedMatrix, _ epilogue: Epilogue, into y: Tensor) {
    let work = Work(product: self, weight: weight, epilogue: epilogue, y: y,
                    panels: Panels(depth: depth, columns: columns, precision: x.precision))
    let strips = tiles.strips(images: x.shape[0], depth: depth, wanted: (Self.wantedTasks + work.panels.count - 1) / work.panels.count)
    let plane = WinogradGrid.plane((strips.map(\.count).max() ?? 0) * tiles.columns, depth), planes = tiles.form.planes * plane
    let key = Storage.Derivation.winogradPanels([depth, columns, weight.start, weight.row, weight.column, weight.tap] + taps)
    if strips.count >= Self.manyStrips {
      let u = weight.tensor.storage.derived(key, work.transformedWeight)
      return parallelFor(strips.count) { range in
        withScratch(planes, x.precision) { v in
          for strip in strips[range] {
            tiles.transform(x, strip, into: v, plane: plane)
            for panel in 0..<work.panels.count { work.multiply(v, plane, strip, panel, work.place(of: panel, in: u)) }
          }
        }
      }
    }
    let v = x.fresh([strips.count * planes])
    parallelFor(strips.count) { range in
      for index in range { tiles.transform(x, strips[index], into: v.address(index * planes), plane: plane) }
    }
    @Sendable func multiply(_ index: Int, _ panel: Int, _ u: UnsafeRawPointer) {
      work.multiply(v.address(index * planes), plane, strips[index], panel, u)
    }
    // Weights that are used once are transformed panel by panel, in cache.
    let kept = work.panels.count >= Self.manyPanels ? weight.tensor.storage.derivedIfKept(key, work.transformedWeight)
      : weight.tensor.storage.derived(key, work.transformedWeight)
    if let u = kept {
      return parallelFor(work.panels.count * strips.count) { range in
        for task in range { multiply(task % strips.count, task / strips.count, work.place(of: task / strips.count, in: u)) }
      }
    }
    parallelFor(work.panels.count) { range in
      withScratch(tiles.form.planes * work.panels.size, x.precision) { u in
        for panel in range {
          work.transformWeight(panel, into: u)
          for index in strips.indices { multiply(index, panel, u) }
        }
      }
    }
  }

  /// The operands of one product beside the source.
  private struct Work {
    let product: WinogradConvolution
    let weight: StridedMatrix, epilogue: Epilogue, y: Tensor
    let panels: Panels

    private var tiles: WinogradGrid { product.tiles }
    private var planes: Int { product.tiles.form.planes }

    /// All panels: `[panel, planes, depth, columns of the panel]`.
    func transformedWeight() -> Tensor {
      let u = weight.tensor.fresh([panels.count, planes, panels.size])
      parallelFor(panels.count) { range in
        for panel in range { transformWeight(panel, into: u.address(panel * planes * panels.size)) }
      }
      return u
    }

    func place(of panel: Int, in u: Tensor) -> UnsafeRawPointer { UnsafeRawPointer(u.address(panel * planes * panels.size)) }

    /// One panel: `[planes, depth, columns of the panel]`.
    func transformWeight(_ panel: Int, into u: UnsafeMutableRawPointer) {
      let together = Panels(depth: product.taps.count * product.depth, columns: product.columns, precision: panels.precision)
      withScratch(together.size, panels.precision) { scratch in
        together.pack(panel, of: weight, taps: product.taps, into: scratch)
        y.kernels.winograd_weight(tiles.form.index, scratch, panels.size(of: panel), u)
      }
    }

    /// Multiplies a transformed strip with one panel, and writes the results.
    func multiply(_ v: UnsafeRawPointer, _ vPlane: Int, _ strip: WinogradGrid.Strip, _ panel: Int, _ u: UnsafeRawPointer) {
      let count = strip.count * tiles.columns, range = panels.range(of: panel), width = panels.width(of: panel)
      let plane = WinogradGrid.plane(count, width)
      withScratch(planes * WinogradGrid.plane(count, panels.width), y.precision) { m in
        tiles.multiplyPlanes(
          .init(base: v, plane: vPlane, row: product.depth), .init(base: u, plane: panels.size(of: panel), row: width),
          into: .init(base: m, plane: plane, row: width), rows: count, columns: range.count, depth: product.depth, y.precision)
        for row in strip {
          let from = m + (row - strip.lowerBound) * tiles.columns * width * y.precision.byteCount
          write(from, plane: plane, row / tiles.rows, row % tiles.rows, range)
        }
      }
    }

    private func write(_ m: UnsafeRawPointer, plane: Int, _ image: Int, _ row: Int, _ range: Range<Int>) {
      let to = y.address(tiles.place(image: image, row: row, column: range.lowerBound, channels: product.columns))
      var pixels = tiles.pixels(row, columns: range.count, channels: product.columns)
      y.kernels.winograd_output(tiles.form.index, m, plane, &pixels, to)
      epilogue.apply(to: to, y.kernels, rows: pixels.rows * tiles.size.width, columns: range, stride: product.columns)
    }
  }
}
