import Base
import Data
import Drawing
import Vision

extension Inpainting {
  /// Pixels of a picture on a sheet, at least.
  static let shownWidth = 160

  /// What the network sees: the hole in grey.
  static func input(_ image: Image, _ mask: InpaintingMask) -> Image {
    var seen = image
    for pixel in mask.known.indices where mask.known[pixel] == 0 { seen[rgb: pixel] = .midGrey }
    return seen
  }

  /// Input, both stages and truth, a row for each picture.
  static func rows(_ samples: [(sample: InpaintingSample, found: Completer.Completion)]) -> FigureGrid {
    FigureGrid(
      headings: ["input", "first stage", "completed", "picture"],
      rows: samples.map { [input($0.sample.image, $0.sample.mask), $0.found.firstStage, $0.found.image, $0.sample.image] },
      width: shownWidth)
  }
}

extension Inpainting {
  /// Picture, mask, what the network sees, the first stage, and completions of one picture.
  static func sheet(of image: Image, _ mask: InpaintingMask, _ found: [Completer.Completion]) -> FigureGrid {
    let width = min(320, max(shownWidth, image.width))
    let completions = found.enumerated().map { ($0 == 0 ? "completed" : "completed, \($0 + 1)", $1.image) }
    let first = found.first.map { [("first stage", $0.firstStage)] } ?? []
    let cells = [("picture", image), ("mask", mask.image.rgb()), ("input", input(image, mask))] + first + completions
    return FigureGrid(cells.map { .init($0.0, ImageFigure($0.1.fitted(width: width), hasFrame: true)) }, columns: 4)
  }
}
