import CKernels

/// Tokens as rows of a tensor, the heads side by side: queries, keys, values or results, perhaps with others beside them.
struct HeadView {
  let tensor: Tensor
  /// The first element.
  var start = 0
  /// Elements from one token to the next.
  let row: Int
  /// Tokens of one image.
  let tokens: Int
  /// Elements of one head.
  let depth: Int

  func address(_ image: Int, _ head: Int, _ token: Int = 0) -> UnsafeMutableRawPointer {
    tensor.address(place(image, head, token))
  }

  /// The matrix `[tokens, depth]` of one head, from one token on.
  func factor(_ image: Int, _ head: Int, from token: Int = 0) -> StridedMatrix {
    StridedMatrix(tensor: tensor, start: place(image, head, token), row: row, column: 1)
  }

  /// The matrix `[depth, tokens]` of one head.
  func transposedFactor(_ image: Int, _ head: Int) -> StridedMatrix {
    StridedMatrix(tensor: tensor, start: place(image, head, 0), row: 1, column: row)
  }

  /// Copies rows of one head to contiguous memory: rows far apart would push each other out of the first-level cache.
  func copy(_ image: Int, _ head: Int, _ range: Range<Int>, to memory: UnsafeMutableRawPointer) {
    tensor.kernels.copy(2, [range.count, depth], address(image, head, range.lowerBound), [row, 1], memory, [depth, 1])
  }

  private func place(_ image: Int, _ head: Int, _ token: Int) -> Int { start + (image * tokens + token) * row + head * depth }
}

/// `dropout(softmax(scale · q kᵀ + bias)) v` for every image and head, a block of queries at a time, so that scores never leave the cache.
///
/// A task owns a strip of blocks of queries of one head. Blocks and strips depend on the sizes alone.
struct AttentionProduct {
  let images, heads: Int
  let q, k, v: HeadView
  let scale: Double
  let bias: BroadcastBias?
  /// Of the weights `[images, heads, queries, keys]`.
  let dropout: DropoutMask?

  /// Scores of one block: 128 KiB in float32, so that two blocks and all panels of a head fit into the second-level cache.
  private static let blockElements = 1 << 15
  private var precision: Precision { q.tensor.precision }
  private var kernels: apus_kernels { q.tensor.kernels }

  /// Queries of one block: a multiple of 12, because the kernels sum up 6 or up to 14 rows together.
  private var blockRows: Int { Swift.min(q.tokens, Swift.max(1, Swift.min(10, Self.blockElements / (12 * k.tokens))) * 12) }
  private var blocks: Int { (q.tokens + blockRows - 1) / blockRows }
  /// Multiply-adds of the scores, and of their sums of values.
  var scoreMultiplyAdds: Int { images * heads * q.tokens * k.tokens * q.depth }
  var sumMultiplyAdds: Int { images * heads * q.tokens * k.tokens * v.depth }
  private var tasks: Int { TaskCount.wanted(multiplyAdds: scoreMultiplyAdds + sumMultiplyAdds) }
  private var blocksPerStrip: Int {
    let wanted = Swift.min(blocks, Swift.max(1, tasks / (images * heads)))
    return (blocks + wanted - 1) / wanted
  }
  private var strips: Int { (blocks + blocksPerStrip - 1) / blocksPerStrip }

  /// Calls `body` for every strip of every head with its blocks of queries.
  private func forEachStrip(_ body: @escaping @Sendable (_ image: Int, _ head: Int, _ strip: Int, _ blocks: [Range<Int>]) -> Void) {
    let pairs = images * heads, strips = strips, rows = blockRows
    parallelFor(pairs * strips, grain: strips > 1 ? 1 : (pairs + tasks - 1) / tasks) { range in
      for task in range {
        let (pair, strip) = (task / strips, task % strips)
        let mine = strip * blocksPerStrip..<Swift.min(blocks, (strip + 1) * blocksPerStrip)
        body(pair / heads, pair % heads, strip, mine.map { $0 * rows..<Swift.min(q.tokens, ($0 + 1) * rows) })
      }
    }
  }

  /// Pieces of working memory, each at a multiple of 64 bytes.
  private func withPieces(_ sizes: [Int], _ body: ([UnsafeMutableRawPointer]) -> Void) {
    let whole = sizes.map { ($0 + 15) / 16 * 16 }
    withScratch(whole.reduce(0, +), precision) { base in
      var place = base
      body(whole.map { size in
        defer { place += size * precision.byteCount }
        return place
      })
    }
  }

  private func packedSize(_ depth: Int, _ columns: Int) -> Int { PackedMatrix.size(depth: depth, columns: columns, precision) }

  /// The attention weights of a block of queries, `[rows, s]`.
  private func weigh(
    _ image: Int, _ head: Int, _ rows: Range<Int>, _ keys: PackedMatrix, queries: UnsafeMutableRawPointer, into y: UnsafeMutableRawPointer
  ) {
    q.copy(image, head, rows, to: queries)
    keys.multiply(StridedRows(queries, row: q.depth), rows: rows.count, into: y, cRow: k.tokens)
    let added = bias.map { $0.tensor.address($0.places[image * heads + head] + rows.lowerBound * $0.row) }
    kernels.scaled_softmax(y, scale, added, bias?.row ?? 0, rows.count, k.tokens, y)
  }

  /// Multiplies the weights `x` of a block of queries by the factors of dropout; with `nil`, writes the factors.
  private func drop(
    _ dropout: DropoutMask, _ image: Int, _ head: Int, _ rows: Range<Int>, _ x: UnsafeMutableRawPointer?, into y: UnsafeMutableRawPointer
  ) {
    let first = ((image * heads + head) * q.tokens + rows.lowerBound) * k.tokens
    dropout.write(first: first, rows.count * k.tokens, kernels, x, to: y)
  }

  func run(into y: HeadView) {
    let (s, rows) = (k.tokens, blockRows)
    let sizes = [packedSize(q.depth, s), packedSize(s, v.depth), rows * q.depth, rows * s]
    forEachStrip { image, head, _, blocks in
      withPieces(sizes) { memory in
        let keys = PackedMatrix(k.transposedFactor(image, head), depth: q.depth, columns: s, into: memory[0])
        let values = PackedMatrix(v.factor(image, head), depth: s, columns: v.depth, into: memory[1])
        for block in blocks {
          weigh(image, head, block, keys, queries: memory[2], into: memory[3])
          if let dropout { drop(dropout, image, head, block, memory[3], into: memory[3]) }
          values.multiply(StridedRows(memory[3], row: s), rows: block.count, into: y.address(image, head, block.lowerBound), cRow: y.row)
        }
      }
    }
  }
}

// MARK: - Gradients

extension AttentionProduct {
  /// Writes the gradients of queries, keys and values; the weights are computed once more.
  ///
  /// The first strip of a head writes its share of the keys' and values' gradients to its place, the others to memory from which it is
  /// added in order.
  func runBackward(_ dy: HeadView, dq: HeadView, dk: HeadView, dv: HeadView) {
    let extra = (1..<strips).map { _ in (keys: partial(of: dk), values: partial(of: dv)) }
    let sizes = backwardSizes
    forEachStrip { image, head, strip, blocks in
      let (dk, dv) = strip == 0 ? (dk, dv) : extra[strip - 1]
      withPieces(sizes) { backward(image, head, blocks, dy, dq, dk, dv, in: $0) }
    }
    for (keys, values) in extra {
      for (part, total) in [(keys, dk), (values, dv)] {
        parallelFor(images * heads, grain: Swift.max(1, (1 << 15) / (total.tokens * total.depth))) { range in
          for pair in range {
            kernels.accumulate_rows(part.address(pair / heads, pair % heads), part.row, total.tokens, total.depth, total.row,
                                    total.address(pair / heads, pair % heads))
          }
        }
      }
    }
  }

  private func partial(of rows: HeadView) -> HeadView {
    let width = heads * rows.depth
    return HeadView(tensor: rows.tensor.fresh([images, rows.tokens, width]), row: width, tokens: rows.tokens, depth: rows.depth)
  }

  private func multiply(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int, into y: UnsafeMutableRawPointer) {
    kernels.binary(Int32(APUS_MULTIPLY.rawValue), 1, count, a, 0, 1, b, 0, 1, y, 0)
  }

  private var backwardSizes: [Int] {
    let (s, rows) = (k.tokens, blockRows)
    return [packedSize(q.depth, s), packedSize(v.depth, s), packedSize(s, q.depth), packedSize(rows, q.depth), packedSize(rows, v.depth),
            rows * q.depth, rows * v.depth, rows * s, rows * s] + (dropout == nil ? [] : [rows * s])
  }

  /// With weights `p`, factors of dropout `m` and scores `z`: `dv = (p m)ᵀ dy`, `dp = m · dy vᵀ`, `dz = scale · p · (dp - Σ dp·p)`,
  /// `dq = dz k`, `dk = dzᵀ q`; the scale is in the packed factors.
  private func backward(
    _ image: Int, _ head: Int, _ blocks: [Range<Int>], _ dy: HeadView, _ dq: HeadView, _ dk: HeadView, _ dv: HeadView,
    in memory: [UnsafeMutableRawPointer]
  ) {
    let s = k.tokens, p = memory[7], dp = memory[8]
    let keysTransposed = PackedMatrix(k.transposedFactor(image, head), depth: q.depth, columns: s, into: memory[0])
    let valuesTransposed = PackedMatrix(v.transposedFactor(image, head), depth: v.depth, columns: s, into: memory[1])
    let keys = PackedMatrix(k.factor(image, head), depth: s, columns: q.depth, scale: scale, into: memory[2])
    for (index, block) in blocks.enumerated() {
      let rows = block.count, first = block.lowerBound
      let queries = PackedMatrix(q.factor(image, head, from: first), depth: rows, columns: q.depth, scale: scale, into: memory[3])
      let seeds = PackedMatrix(dy.factor(image, head, from: first), depth: rows, columns: v.depth, into: memory[4])
      weigh(image, head, block, keysTransposed, queries: memory[5], into: p)
      dy.copy(image, head, block, to: memory[6])
      valuesTransposed.multiply(StridedRows(memory[6], row: v.depth), rows: rows, into: dp, cRow: s)
      var kept = p
      if let dropout {
        kept = memory[9]
        drop(dropout, image, head, block, nil, into: kept)
        multiply(dp, kept, rows * s, into: dp)
        multiply(p, kept, rows * s, into: kept)
      }
      seeds.multiply(StridedRows(kept, row: 1, term: s), rows: s, into: dv.address(image, head), cRow: dv.row, adds: index > 0)
      kernels.softmax_backward(dp, p, rows, s, dp)
      keys.multiply(StridedRows(dp, row: s), rows: rows, into: dq.address(image, head, first), cRow: dq.row)
      queries.multiply(StridedRows(dp, row: 1, term: s), rows: s, into: dk.address(image, head), cRow: dk.row, adds: index > 0)
    }
  }
}
