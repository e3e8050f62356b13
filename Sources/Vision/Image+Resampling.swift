extension Image {
  /// The image resized bilinearly by a factor per axis, rounded to the nearest sample value (half up).
  ///
  /// See `ResamplingAxis.init(resizing:by:)` for the size and the sampling positions.
  public func resized(scaleX: Double, scaleY: Double) -> Image {
    sampled(rows: ResamplingAxis(resizing: height, by: scaleY), columns: ResamplingAxis(resizing: width, by: scaleX))
  }

  /// The image read at the crossings of two axes, bilinearly, rounded to the nearest sample value (half up).
  /// - Precondition: the axes were made for this height and width.
  public func sampled(rows: ResamplingAxis, columns: ResamplingAxis) -> Image {
    let values = BilinearGrid(rows: rows, columns: columns, sourceWidth: width, channels: channels).values(of: pixels) { Float($0) }
    return Image(height: rows.count, width: columns.count, channels: channels, pixels: values.map { UInt8($0 + 0.5) })
  }
}
