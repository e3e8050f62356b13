import Foundation

/// A line chart as a picture, for curves of a training run ("EPE over steps").
///
/// ```swift
/// var plot = LinePlot(title: "validation", xLabel: "step", yLabel: "EPE, px")
/// plot.series.append(.init(name: "apus", points: [SIMD2(0, 8.1), SIMD2(500, 3.2)]))
/// let picture = plot.image(height: 300, width: 480)
/// ```
public struct LinePlot: Sendable {
  /// One curve; points that are not finite leave a gap.
  public struct Series: Sendable {
    public var name: String
    public var points: [SIMD2<Double>]

    public init(name: String, points: [SIMD2<Double>]) {
      self.name = name
      self.points = points
    }
  }

  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var series: [Series] = []
  /// Whether the y axis always shows zero; errors and losses should be read against it.
  public var includesZero = true

  /// Colours of the curves in order: tell-apart hues of similar darkness (after Okabe and Ito's palette for all kinds of colour vision).
  static let palette = [RGB(0, 114, 178), RGB(213, 94, 0), RGB(0, 158, 115), RGB(204, 121, 167), RGB(230, 159, 0), RGB(86, 180, 233)]

  public init(title: String, xLabel: String, yLabel: String, series: [Series] = []) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.series = series
  }

  /// Draws the chart.
  public func image(height: Int = 320, width: Int = 520) -> Image {
    let finite = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
    let x = Axis(values: finite.map(\.x), ticks: max(2, width / 90))
    let y = Axis(values: finite.map(\.y) + (includesZero ? [0] : []), ticks: max(2, height / 50))
    let left = 14 + (y.labels.map { BitmapFont.width(of: $0) }.max() ?? 0)
    let frame = Frame(top: 34, left: left, height: height - 34 - 32, width: width - left - 14, x: x, y: y)
    var picture = Image(height: height, width: width, color: .white)
    picture.write(title, top: 4, left: 6, .black)
    picture.write(yLabel, top: 18, left: 6, RGB(70, 70, 70))
    picture.write(xLabel, top: height - 11, left: width - 14 - BitmapFont.width(of: xLabel), RGB(70, 70, 70))
    drawAxes(&picture, frame)
    for (index, curve) in series.enumerated() { draw(curve, LinePlot.palette[index % LinePlot.palette.count], &picture, frame) }
    drawLegend(&picture, frame)
    return picture
  }

  /// Where the curves live in the picture, and the scales of both axes.
  private struct Frame {
    let top, left, height, width: Int
    let x, y: Axis

    func place(_ point: SIMD2<Double>) -> SIMD2<Float> {
      SIMD2(Float(left) + Float(x.share(point.x)) * Float(width), Float(top + height) - Float(y.share(point.y)) * Float(height))
    }
  }

  private func drawAxes(_ picture: inout Image, _ frame: Frame) {
    let bottom = frame.top + frame.height
    for (value, label) in zip(frame.y.ticks, frame.y.labels) {
      let row = Int(frame.place(SIMD2(frame.x.low, value)).y.rounded())
      picture.fill(top: row, left: frame.left, height: 1, width: frame.width, RGB(225, 225, 225))
      picture.write(label, top: row - 3, left: frame.left - 6 - BitmapFont.width(of: label), .black)
    }
    for (value, label) in zip(frame.x.ticks, frame.x.labels) {
      let column = Int(frame.place(SIMD2(value, frame.y.low)).x.rounded())
      picture.fill(top: bottom, left: column, height: 4, width: 1, .black)
      let textWidth = BitmapFont.width(of: label)
      picture.write(label, top: bottom + 8, left: min(column - textWidth / 2, picture.width - textWidth - 1), .black)
    }
    picture.fill(top: frame.top, left: frame.left, height: frame.height + 1, width: 1, .black)
    picture.fill(top: bottom, left: frame.left, height: 1, width: frame.width + 1, .black)
  }

  private func draw(_ curve: Series, _ color: RGB, _ picture: inout Image, _ frame: Frame) {
    var previous: SIMD2<Float>?
    for point in curve.points {
      guard point.x.isFinite, point.y.isFinite else {
        previous = nil
        continue
      }
      let place = frame.place(point)
      if let previous { picture.line(from: previous, to: place, color, thickness: 1.6) }
      if curve.points.count <= 40 { picture.line(from: place, to: place, color, thickness: 4) }
      previous = place
    }
  }

  /// Names of the curves in the upper right corner, on a white box.
  private func drawLegend(_ picture: inout Image, _ frame: Frame) {
    let named = series.enumerated().filter { !$0.element.name.isEmpty }
    guard let textWidth = named.map({ BitmapFont.width(of: $0.element.name) }).max() else { return }
    let width = textWidth + 34, height = named.count * 11 + 7
    let left = frame.left + frame.width - width, top = frame.top + 3
    picture.fill(top: top, left: left, height: height, width: width, RGB(190, 190, 190))
    picture.fill(top: top + 1, left: left + 1, height: height - 2, width: width - 2, .white)
    for (row, (index, curve)) in named.enumerated() {
      let middle = Float(top + 8 + row * 11)
      picture.line(from: SIMD2(Float(left + 6), middle), to: SIMD2(Float(left + 22), middle),
                   LinePlot.palette[index % LinePlot.palette.count], thickness: 2)
      picture.write(curve.name, top: top + 5 + row * 11, left: left + 29, .black)
    }
  }

  /// A scale with round tick values: steps of 1, 2 or 5 times a power of ten.
  package struct Axis: Sendable {
    package let low, high: Double
    package let ticks: [Double]
    package let labels: [String]

    package init(values: [Double], ticks count: Int) {
      var low = values.min() ?? 0, high = values.max() ?? 1
      if high - low < max(abs(high), abs(low)) * 1e-9 || high == low {
        low -= low == 0 ? 0 : abs(low) / 2
        high += high == 0 ? 1 : abs(high) / 2
      }
      let rough = (high - low) / Double(count)
      let power = pow(10, log10(rough).rounded(.down))
      let step = power * ([1, 2, 5, 10].first { $0 * power >= rough * 0.999 } ?? 10)
      let first = (low / step + 1e-9).rounded(.down), last = (high / step - 1e-9).rounded(.up)
      self.low = first * step
      self.high = last * step
      ticks = (0...Int(last - first)).map { (first + Double($0)) * step }
      let decimals = max(0, Int(-log10(step * 1.001).rounded(.down)))
      labels = ticks.map { tick in
        abs(tick) >= 100_000 ? String(format: "%gk", tick / 1000) : String(format: "%.\(decimals)f", tick)
      }
    }

    /// 0 at the low end, 1 at the high end.
    package func share(_ value: Double) -> Double { (value - low) / (high - low) }
  }
}
