import Base
import CKernels

/// Rows of float32 numbers split into bfloat16 parts, each part in a plane of its own: element `c` of row `r` in part `p` lies at
/// `base + p · plane + r · row + c`.
struct BF16Rows {
  let base: UnsafePointer<UInt16>
  /// Elements from one row to the next, and from one plane to the next.
  let row, plane: Int

  /// The same planes, `count` elements further on.
  func advanced(by count: Int) -> BF16Rows { BF16Rows(base: base + count, row: row, plane: plane) }
}

/// Products of float32 numbers split into bfloat16 parts: the functions and the number of parts.
///
/// Products work in blocks of 32 and multiply what lies beyond a row by zeros: an infinity or NaN also reaches outputs of neighbouring
/// pixels.
struct BF16Split {
  let kernels: apus_split_kernels
  let parts: Int

  init(parts: Int) {
    guard let kernels = Self.backend else { stop("BF16Split: this processor has no bfloat16 units") }
    (self.kernels, self.parts) = (kernels, parts)
  }

  private static let backend: apus_split_kernels? = {
    let kind = switch InstructionSet.current {
    case .amx: APUS_SPLIT_AMX
    case .amxEmulated: APUS_SPLIT_AMX_EMULATED
    case .avx512, .avx2, .portable: APUS_SPLIT_AVX512_BF16
    }
    return apus_split_kernels_of(kind)?.pointee
  }()

  /// Columns of a panel.
  static let width = Int(APUS_PANEL_COLUMNS)
  func columnBlocks(_ columns: Int, groups: Int) -> ColumnBlocks { ColumnBlocks(columns: columns, groups: groups, width: Self.width) }
  private static let blockDepth = Int(APUS_PANEL_DEPTH)
  /// Elements behind the last one that a product may read, because it works in blocks of 32.
  static let slack = 2 * blockDepth

  /// Memory for `count` bfloat16 numbers.
  func withPlanes(_ count: Int, _ body: (UnsafeMutablePointer<UInt16>) -> Void) {
    withScratch((count + 1) / 2, .float32) { body($0.bindMemory(to: UInt16.self, capacity: count)) }
  }

  /// The parts of `count` contiguous numbers, with zeros behind them.
  func withSplit(_ x: UnsafeRawPointer, count: Int, _ body: (BF16Rows) -> Void) {
    withSplitRows(x, rows: 1, columns: count, stride: count, body)
  }

  /// The parts of `x` `[rows, columns]`, rows `stride` apart: `[rows, pitch]` in each plane, zeros beyond `columns`.
  func withSplitRows(_ x: UnsafeRawPointer, rows: Int, columns: Int, stride: Int, _ body: (BF16Rows) -> Void) {
    withParts(x, rows, columns, stride, kernels.split, lines: rows, pitch: columns + Self.slack, body)
  }

  /// The parts of the transpose of `x` `[rows, columns]`, rows `stride` apart: `[columns, pitch]` in each plane, zeros beyond `rows`:
  /// `beyond` at least.
  func withSplitTransposed(
    _ x: UnsafeRawPointer, rows: Int, columns: Int, stride: Int, beyond: Int = 0, _ body: (BF16Rows) -> Void
  ) {
    withParts(x, rows, columns, stride, kernels.split_transposed, lines: columns, pitch: rows + beyond + Self.slack, body)
  }

  private func withParts(
    _ x: UnsafeRawPointer, _ rows: Int, _ columns: Int, _ stride: Int,
    _ split: (UnsafePointer<apus_split_rows>?, UnsafePointer<Float>?, UnsafeMutablePointer<UInt16>?) -> Void, lines: Int, pitch: Int,
    _ body: (BF16Rows) -> Void
  ) {
    let plane = lines * pitch
    withPlanes(parts * plane) { planes in
      var options = apus_split_rows(
        rows: rows, columns: columns, width: pitch, x_row: stride, y_row: pitch, y_plane: plane, parts: Int32(parts))
      split(&options, x.assumingMemoryBound(to: Float.self), planes)
      body(BF16Rows(base: planes, row: pitch, plane: plane))
    }
  }

  /// Elements of one packed panel.
  func panelSize(taps: Int, depth: Int) -> Int { apus_split_panel_size(taps, depth, Int32(parts)) }

  /// Packs one panel from contiguous float rows `[taps, depth, 32]`.
  func pack(_ rows: UnsafeRawPointer, taps: Int, depth: Int, columns: Int, into panel: UnsafeMutablePointer<UInt16>) {
    var options = apus_split_panels(
      taps: taps, depth: depth, columns: columns, tap: depth * Self.width, row: Self.width, parts: Int32(parts))
    kernels.pack(&options, rows.assumingMemoryBound(to: Float.self), panel)
  }

  /// The longest sum of three-part products that stays in registers: longer ones are added up in memory, which bounds rounding errors.
  private static let longestSum = 512

  /// The product of one panel, all pieces of its inner sum.
  func multiply(
    _ options: apus_split_product, _ a: UnsafePointer<UInt16>, _ panel: UnsafePointer<UInt16>, into c: UnsafeMutableRawPointer
  ) {
    let c = c.assumingMemoryBound(to: Float.self)
    let (taps, depth) = (options.taps, options.depth)
    var piece = options
    guard parts == 3, taps * depth > Self.longestSum else { return kernels.product(&piece, a, panel, c) }
    let together = Swift.max(1, Self.longestSum / depth), groups = (taps + together - 1) / together
    let blocks = (depth + Self.blockDepth - 1) / Self.blockDepth, cuts = (depth + Self.longestSum - 1) / Self.longestSum
    for group in 0..<groups {
      let tap = taps * group / groups
      piece.taps = taps * (group + 1) / groups - tap
      piece.tap_offsets = options.tap_offsets + tap
      for cut in 0..<cuts {  // one, unless a single tap is too long
        let first = blocks * cut / cuts * Self.blockDepth
        piece.depth = Swift.min(depth, blocks * (cut + 1) / cuts * Self.blockDepth) - first
        kernels.product(&piece, a + first, panel + panelSize(taps: tap, depth: depth) + panelSize(taps: 1, depth: first), c)
        piece.adds = 1
      }
    }
  }
}
