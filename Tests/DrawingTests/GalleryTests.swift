import Base
import Drawing
import Foundation
import Testing
import Vision

/// Every figure, drawn as pixels and as vectors.
@Suite struct GalleryTests {
  @Test(arguments: Gallery.widths) func textsLieOnTheCanvasApartFromEachOther(width: Int) throws {
    for example in Gallery.all(width: width) {
      let rendered = try RenderedFigure(example.figure)
      rendered.checkTexts(mayOverlap: example.mayOverlap, "\(example.name) at \(width)")
      for text in example.expected {
        #expect(!rendered.boxes(of: text).isEmpty, "\(example.name) at \(width): '\(text)' is missing among \(rendered.texts.map(\.text))")
      }
    }
  }

  @Test(arguments: Gallery.widths) func figuresHaveTheWidthThatWasAskedFor(width: Int) throws {
    let typeface = Typeface()
    for example in Gallery.all(width: width) {
      let size = example.figure.size(typeface)
      let image = try example.figure.image(typeface: typeface)
      #expect(image.width == Int(size.width.rounded(.up)) && image.height == Int(size.height.rounded(.up)), "\(example.name)")
      #expect(image.width <= width, "\(example.name) is \(image.width) wide, at most \(width) was asked for")
      #expect(image.width > width / 2, "\(example.name) uses only \(image.width) of \(width) pixels")
    }
  }

  /// The same figure gives the same bytes, whatever else was drawn before in this process.
  @Test func bytesAreStable() throws {
    let examples = Gallery.all(width: 400)
    let first = try examples.map { (try $0.figure.image(), try $0.figure.svg()) }
    for (example, (image, svg)) in zip(examples, first).reversed() {
      #expect(try example.figure.svg() == svg, "\(example.name).svg")
      #expect(try example.figure.image() == image, "\(example.name).png")
      #expect(!String(decoding: svg, as: UTF8.self).contains("\(Calendar.current.component(.year, from: Date()))-\(1)1-"))
    }
  }

  @Test func aDenseScreenGetsFourTimesThePixels() throws {
    let plot = Gallery.charts(width: 400)[0].figure
    let image = try plot.image()
    let dense = try plot.image(scale: 2)
    #expect(dense.width == 2 * image.width && dense.height == 2 * image.height)
    let small = dense.shrunk(toWidth: image.width)
    let difference = zip(small.pixels, image.pixels).map { abs(Int($0) - Int($1)) }.reduce(0, +)
    #expect(difference < 4 * image.pixels.count, "both show the same: mean difference \(Double(difference) / Double(image.pixels.count))")
  }

  @Test func filesAreOfTheFormatOfTheirName() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-drawing-\(UUID())").path
    try File.createFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let legend = FlowLegend(maximum: 3)
    try legend.write(to: "\(folder)/a.png")
    try legend.write(to: "\(folder)/a.svg")
    #expect(try Image(contentsOf: "\(folder)/a.png") == legend.image())
    #expect(try File.bytes(at: "\(folder)/a.svg") == legend.svg())
    #expect { try legend.write(to: "\(folder)/a.pdf") } throws: { ($0 as? Failure)?.kind == .usage }
  }

  @Test func whatIsTooLargeIsAFailureAndNoCrash() throws {
    var plot = LinePlot(title: "", xLabel: "", yLabel: "")
    plot.width = 40_000
    #expect { try plot.image() } throws: { ($0 as? Failure)?.kind == .cannotCreate }
    #expect { try plot.svg() } throws: { ($0 as? Failure)?.kind == .cannotCreate }
    plot.width = 0
    #expect { try plot.image() } throws: { ($0 as? Failure)?.kind == .cannotCreate }
    plot.width = 20_000
    #expect { try plot.image(scale: 2) } throws: { ($0 as? Failure)?.kind == .cannotCreate }
  }

  /// With APUS_GALLERY=DIR every figure is left there, to be looked at.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["APUS_GALLERY"] != nil)) func gallery() throws {
    let folder = try #require(ProcessInfo.processInfo.environment["APUS_GALLERY"])
    try File.createFolder(folder)
    for width in Gallery.widths {
      for example in Gallery.all(width: width) {
        try example.figure.write(to: "\(folder)/\(example.name)-\(width).png")
        try example.figure.write(to: "\(folder)/\(example.name)-\(width).svg")
      }
    }
  }
}
