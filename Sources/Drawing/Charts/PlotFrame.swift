/// The area of a chart between its axes, with the scales of both.
struct PlotFrame {
  let area: Rectangle
  let x: Axis
  let y: Axis

  /// - Parameters:
  ///   - outer: the room for the area and the texts to the left of it; the texts of the x axis stand below it.
  init(
    x xValues: [Double], xScale: Axis.Scale = .linear, y yValues: [Double], yScale: Axis.Scale, within outer: Rectangle,
    _ typeface: Typeface
  ) {
    y = Axis(values: yValues, ticks: max(2, min(8, Int(outer.height / 32))), scale: yScale)
    let labelWidth = y.labels.map { typeface.width(of: $0, .note) }.max() ?? 0
    let left = (outer.left + labelWidth + 8).rounded() + 0.5
    area = Rectangle(left: left, top: outer.top.rounded() + 0.5, width: max(10, outer.right - left - 6),
                     height: max(10, outer.height.rounded()))
    x = Self.xAxis(xValues, xScale, width: area.width, typeface)
  }

  /// As many ticks as have room for their texts side by side; between whole numbers, such as steps, no fractions.
  private static func xAxis(_ values: [Double], _ scale: Axis.Scale, width: Double, _ typeface: Typeface) -> Axis {
    let isWhole = scale == .linear && values.allSatisfy { !$0.isFinite || $0 == $0.rounded() }
    var count = max(2, Int(width / 80))
    // A narrow chart may have one or two round numbers at that distance, which say little about the scale.
    if Axis(values: values, ticks: count, isTight: true).ticks.count < 3 { count = max(count, Int(width / 45)) }
    while true {
      let axis = Axis(values: values, ticks: count, scale: scale, isTight: true)
      let widest = axis.labels.map { typeface.width(of: $0, .note) }.max() ?? 0
      let distance = axis.ticks.count > 1 ? (axis.share(axis.ticks[1]) - axis.share(axis.ticks[0])) * width : width
      let isFraction = isWhole && axis.ticks.count > 1 && axis.ticks[1] - axis.ticks[0] < 1
      if count <= 1 || (distance > widest + 10 && !isFraction) { return axis }
      count -= 1
    }
  }

  /// The position of a value pair on the canvas.
  func position(of point: Point) -> Point {
    Point(area.left + x.share(point.x) * area.width, area.bottom - y.share(point.y) * area.height)
  }

  func drawAxes(on canvas: Canvas) {
    for (value, label) in zip(y.ticks, y.labels) {
      let height = (area.bottom - y.share(value) * area.height).rounded(.down) + 0.5
      canvas.line(from: Point(area.left, height), to: Point(area.right, height), Stroke(.gridLine))
      canvas.text(label, at: Point(area.left - 7, height - 7.5), .note, alignment: .right)
    }
    drawXTicks(on: canvas)
    canvas.polyline([Point(area.left, area.top), Point(area.left, area.bottom), Point(area.right, area.bottom)], Stroke(.faintInk))
  }

  /// Ticks and texts of the x axis; the texts at both ends are moved inwards so that they stay on the canvas.
  func drawXTicks(on canvas: Canvas) {
    for (value, label) in zip(x.ticks, x.labels) {
      let position = (area.left + x.share(value) * area.width).rounded(.down) + 0.5
      canvas.line(from: Point(position, area.bottom), to: Point(position, area.bottom + 4), Stroke(.faintInk))
      let width = canvas.typeface.width(of: label, .note)
      let left = min(max(2, position - width / 2), canvas.size.width - width - 2)
      canvas.text(label, at: Point(left, area.bottom + 6), .note)
    }
  }
}
