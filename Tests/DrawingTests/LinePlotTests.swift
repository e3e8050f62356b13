import Drawing
import Testing
import Vision

@Suite struct AxisTests {
  @Test func ticksAreRoundAndCoverTheValues() {
    let axis = Axis(values: [0.13, 8.7], ticks: 5)
    #expect(axis.labels == ["0", "2", "4", "6", "8", "10"])
    let small = Axis(values: [0.0007, 0.0012, 0], ticks: 4)
    #expect(small.low == 0 && small.high >= 0.0012)
    #expect(small.labels.contains("0.0005") && Set(small.labels).count == small.labels.count)
    let large = Axis(values: [0, 100_000], ticks: 5)
    #expect(large.labels.last == "100k")
    let constant = Axis(values: [3, 3], ticks: 4)
    #expect(constant.low < 3 && constant.high > 3)
    #expect(Axis(values: [], ticks: 4).high > 0)
    #expect(abs(axis.share(5) - 0.5) < 1e-12)
  }

  @Test func negativeAndLargeValuesHaveShortTexts() {
    #expect(Axis(values: [-1, 1], ticks: 4).labels == ["−1.0", "−0.5", "0", "0.5", "1.0"])
    #expect(Axis(values: [0, 50_000], ticks: 5).labels == ["0", "10k", "20k", "30k", "40k", "50k"])
    #expect(Axis(values: [0, 2e7], ticks: 4).labels == ["0", "5M", "10M", "15M", "20M"])
  }

  @Test func aTightAxisEndsAtTheValues() {
    let axis = Axis(values: [300, 2050], ticks: 5, isTight: true)
    #expect(axis.low == 300 && axis.high == 2050)
    #expect(axis.labels == ["500", "1000", "1500", "2000"])
  }

  @Test(arguments: [0, .leastNonzeroMagnitude, 1e-300, 1e-20, 3e38, 1e300, .greatestFiniteMagnitude, .infinity, .nan])
  func extremeValuesHaveTicksAndNoCrash(value: Double) throws {
    for scale in [Axis.Scale.linear, .log] {
      for values in [[value], [0, value], [-value, value], [1, value]] {
        for isTight in [false, true] {
          let axis = Axis(values: values, ticks: 5, scale: scale, isTight: isTight)
          #expect(axis.low.isFinite && axis.high.isFinite && axis.low < axis.high, "\(values)")
          #expect(axis.ticks.count <= 20 && axis.ticks.allSatisfy(\.isFinite), "\(values): \(axis.ticks)")
          #expect(axis.labels.allSatisfy { $0.count < 16 }, "\(axis.labels)")
        }
      }
    }
    let points = [Point(0, 1), Point(1, value), Point(value, 2)]
    _ = try LinePlot(title: "", xLabel: "", yLabel: "", series: [.init(name: "", points: points)]).image()
    _ = try BarPlot(title: "", label: "", bars: [.init("", value, error: value), .init("", 1)]).image()
  }

  @Test func logarithmicTicksArePowersOfTenOrOneTwoFive() {
    let narrow = Axis(values: [0.3, 9], ticks: 6, scale: .log)
    #expect(narrow.labels == ["0.2", "0.5", "1", "2", "5", "10"])
    let wide = Axis(values: [1e-4, 0, -3, 20], ticks: 6, scale: .log)
    #expect(wide.labels == ["0.0001", "0.001", "0.01", "0.1", "1", "10", "100"])
    #expect(wide.share(0).isNaN, "zero has no place on it")
    #expect(abs(wide.share(0.1) - 0.5) < 1e-12)
    let vast = Axis(values: [1e-9, 1e9], ticks: 4, scale: .log)
    #expect((2...7).contains(vast.ticks.count) && vast.low <= 1e-9 && vast.high >= 1e9)
    let none = Axis(values: [0, -1], ticks: 4, scale: .log)
    #expect(none.low > 0 && none.high > none.low)
  }
}

@Suite struct LinePlotTests {
  @Test func drawsEachSeriesInItsColourAndSkipsNaN() throws {
    let points = (0..<50).map { Point(Double($0), Double($0) / 5) }
    var plot = LinePlot(title: "t", xLabel: "step", yLabel: "EPE, px", series: [.init(name: "a", points: points)])
    plot.width = 300
    plot.height = 200
    let one = try RenderedFigure(plot)
    #expect(one.image.height == 200 && one.image.width == 300)
    plot.series.append(.init(name: "b", points: [Point(0, 9), Point(20, .nan), Point(49, 1)]))
    let two = try RenderedFigure(plot)
    let blue = RGB(0, 114, 178)
    let red = RGB(213, 94, 0)
    #expect(one.count(blue) > 50)
    #expect(one.count(red) == 0)
    // Two square marks of 6 x 6 and the legend's stroke of 21 x 2, but no line across the gap.
    #expect((60..<150).contains(two.count(red)))
  }

  @Test func theLegendStandsAboveTheCurves() throws {
    let names = (0..<6).map { "series number \($0)" }
    var plot = LinePlot(title: "many", xLabel: "x", yLabel: "y", series: names.map { .init(name: $0, points: [Point(0, 0), Point(1, 1)]) })
    plot.width = 320
    plot.height = 300
    let rendered = try RenderedFigure(plot)
    rendered.checkTexts()
    for name in names { #expect(rendered.boxes(of: name).count == 1) }
    #expect(Set(rendered.texts.filter { $0.text.hasPrefix("series") }.map(\.box.top)).count >= 3, "in rows, as the width allows")
  }

  @Test func aLogarithmicAxisLeavesOutWhatHasNoLogarithm() throws {
    let points = [Point(0, 100), Point(1, 0), Point(2, 0.01)]
    var plot = LinePlot(title: "", xLabel: "step", yLabel: "loss", series: [.init(name: "", points: points)])
    plot.yScale = .log
    let rendered = try RenderedFigure(plot)
    #expect(!rendered.boxes(of: "0.01").isEmpty && !rendered.boxes(of: "100").isEmpty)
    #expect((20..<120).contains(rendered.count(RGB(0, 114, 178))), "two marks, no line")
  }

  @Test func anEmptyPlotIsStillAPictureThatSaysSo() throws {
    #expect(try LinePlot(title: "", xLabel: "", yLabel: "").image().width == 640)
    let rendered = try RenderedFigure(LinePlot(title: "", xLabel: "", yLabel: "", series: [.init(name: "", points: [Point(.nan, 1)])]))
    #expect(rendered.boxes(of: "no data").count == 1)
  }

  @Test func aSeriesKeepsItsColourWithoutItsNeighbour() throws {
    let points = [Point(0, 1), Point(1, 2)]
    let alone = LinePlot(title: "", xLabel: "", yLabel: "", series: [.init(name: "validation", points: points, colorIndex: 1)])
    let rendered = try RenderedFigure(alone)
    #expect(rendered.count(Palette.color(1).rgb) > 50 && rendered.count(Palette.color(0).rgb) == 0)
  }

  @Test func aBandSpreadsAroundItsCurveAndHasGaps() throws {
    var series = LinePlot.Series(name: "", points: [Point(0, 5), Point(1, 5), Point(2, 5), Point(3, 5)])
    let plain = try RenderedFigure(LinePlot(title: "", xLabel: "", yLabel: "", series: [series]))
    let spread = [(0.0, 1.0), (1, 1), (2, .nan), (3, 1)]
    series.band = spread.map { .init(x: $0, low: 5 - $1, high: 5 + $1) }
    let banded = try RenderedFigure(LinePlot(title: "", xLabel: "", yLabel: "", series: [series]))
    // A fifth of the curve's blue on white, as Cairo rounds it.
    let tints = [226, 227, 228].flatMap { green in [239, 240, 241].map { RGB(204, green, $0) } }
    func count(_ figure: RenderedFigure, from left: Double, to right: Double) -> Int {
      let part = Rectangle(left: left * figure.size.width, top: 0, width: (right - left) * figure.size.width, height: figure.size.height)
      return tints.reduce(0) { $0 + figure.count($1, in: part) }
    }
    #expect(count(plain, from: 0, to: 1) == 0)
    #expect(count(banded, from: 0.1, to: 0.35) > 1000 && count(banded, from: 0.5, to: 0.95) == 0)
  }

  @Test func aNarrowChartStillHasThreeTicks() throws {
    var plot = LinePlot(title: "", xLabel: "step", yLabel: "", series: [.init(name: "", points: [Point(1000, 0.1), Point(9000, 0.2)])])
    plot.width = 350
    let rendered = try RenderedFigure(plot)
    rendered.checkTexts()
    #expect(["2000", "4000", "6000", "8000"].allSatisfy { rendered.boxes(of: $0).count == 1 })
  }

  @Test func countsHaveNoFractionsOnTheirAxis() throws {
    for last in 2...5 {
      let points = (1...last).map { Point(Double($0), 10 + Double($0)) }
      let rendered = try RenderedFigure(LinePlot(title: "", xLabel: "iteration", yLabel: "EPE", series: [.init(name: "", points: points)]))
      let texts = rendered.texts.map(\.text)
      #expect(!texts.contains { $0.contains(".5") } && texts.contains("1") && texts.contains("\(last)"), "\(texts)")
    }
  }

  @Test func anAxisSaysItsUnitAndWhatIsBetter() throws {
    var plot = LinePlot(title: "", xLabel: "minutes", yLabel: "PQ", series: [.init(name: "", points: [Point(0, 1), Point(1, 2)])])
    plot.unit = "%"
    plot.better = .higher
    let rendered = try RenderedFigure(plot)
    #expect(rendered.boxes(of: "PQ, %").count == 1 && rendered.boxes(of: "higher is better").count == 1)
    #expect(rendered.boxes(of: "minutes").count == 1)
  }
}

@Suite struct BarPlotTests {
  @Test func anIntervalNeedNotLieEvenlyAboutItsValue() throws {
    var bar = BarPlot.Bar("a", 0.5)
    bar.range = -0.25...0.75
    var plot = BarPlot(title: "", label: "gain", bars: [bar, .init("b", -0.5)])
    plot.showsSign = true
    let rendered = try RenderedFigure(plot)
    rendered.checkTexts()
    #expect(rendered.boxes(of: "+0.50 [−0.25, +0.75]").count == 1 && rendered.boxes(of: "−0.50").count >= 1)
  }

  @Test func longNamesStandAboveTheirBars() throws {
    let names = ["A name that is too long to stand beside its bar", "Another one of that length, or even longer"]
    var plot = BarPlot(title: "", label: "PQ", bars: names.map { .init($0, -1) } + [.init("short", 2)])
    plot.width = 350
    let rendered = try RenderedFigure(plot)
    rendered.checkTexts()
    for name in names { #expect(rendered.boxes(of: name).count == 1, "in full") }
    plot.width = 1000
    #expect(try RenderedFigure(plot).size.height < rendered.size.height)
  }

  @Test func barsAreAsLongAsTheirValues() throws {
    var plot = BarPlot(title: "t", label: "EPE", bars: [.init("one", 2), .init("two", 4, colorIndex: 1), .init("none", .nan)])
    plot.width = 400
    let rendered = try RenderedFigure(plot)
    rendered.checkTexts()
    let short = rendered.count(Palette.color(0).rgb)
    let long = rendered.count(Palette.color(1).rgb)
    #expect(abs(long - 2 * short) < 100 && short > 500, "\(short), \(long)")
    #expect(rendered.boxes(of: "no value").count == 1 && rendered.boxes(of: "4.00").count == 1)
  }

  @Test func negativeBarsGoToTheLeftOfZero() throws {
    let bars = [BarPlot.Bar("up", 1), .init("down", -1, error: 0.5, colorIndex: 1)]
    let rendered = try RenderedFigure(BarPlot(title: "", label: "gain", bars: bars))
    rendered.checkTexts()
    let zero = try #require(rendered.texts.first { $0.text == "0" }).box.center.x
    let left = Rectangle(left: 0, top: 0, width: zero - 1, height: rendered.size.height)
    #expect(rendered.count(Palette.color(0).rgb, in: left) == 0)
    #expect(rendered.count(Palette.color(1).rgb, in: left) > 1000)
    #expect(rendered.boxes(of: "−1.00 ± 0.50").count == 1)
  }
}
