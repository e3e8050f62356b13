/// Rows of one image with the zero padding of a convolution: a view if they lie within the image and need no padding, else a copy.
struct PaddedRows {
  /// The first element, and the number of elements.
  let base: UnsafeRawPointer
  let count: Int
  private let firstRow, left, channels: Int
  private let bytes: Int
  /// Elements from one row to the next.
  let pitch: Int

  /// Rows `rows` of image `image` of `x`, where rows outside the image are zeros, with `left` and `right` columns of zeros.
  static func with(
    _ x: Tensor, image: Int, rows: Range<Int>, left: Int, right: Int, _ body: (PaddedRows) -> Void
  ) {
    let (_, h, w, c) = x.shape4, bytes = x.precision.byteCount
    if left == 0, right == 0, rows.lowerBound >= 0, rows.upperBound <= h {
      let base = UnsafeRawPointer(x.address((image * h + rows.lowerBound) * w * c))
      return body(PaddedRows(
        base: base, count: rows.count * w * c, firstRow: rows.lowerBound, left: 0, channels: c, bytes: bytes, pitch: w * c))
    }
    let pitch = (left + w + right) * c
    withScratch(rows.count * pitch, x.precision) { scratch in
      for row in rows {
        let place = scratch + (row - rows.lowerBound) * pitch * bytes
        guard row >= 0, row < h else {
          x.kernels.fill(place, pitch, 0)
          continue
        }
        x.kernels.fill(place, left * c, 0)
        (place + left * c * bytes).copyMemory(from: x.address((image * h + row) * w * c), byteCount: w * c * bytes)
        x.kernels.fill(place + (left + w) * c * bytes, right * c, 0)
      }
      body(PaddedRows(base: UnsafeRawPointer(scratch), count: rows.count * pitch, firstRow: rows.lowerBound, left: left,
                       channels: c, bytes: bytes, pitch: pitch))
    }
  }

  /// The address of a pixel's channel; row and column are those of the image.
  func address(_ row: Int, _ column: Int, _ channel: Int = 0) -> UnsafeRawPointer {
    base + offset(row, column, channel) * bytes
  }

  /// Elements from the first one to a pixel's channel.
  func offset(_ row: Int, _ column: Int, _ channel: Int = 0) -> Int {
    (row - firstRow) * pitch + (column + left) * channels + channel
  }
}
