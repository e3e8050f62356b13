import Drawing
import Foundation
import Vision

/// Figures of inpainting.
extension Gallery {
  /// A mask with a disc and a stripe as holes.
  static func hole(height: Int, width: Int, radius: Double = 0.3) -> InpaintingMask {
    InpaintingMask(height: height, width: width, known: (0..<height * width).map { pixel -> UInt8 in
      let y = (Double(pixel / width) + 0.5) / Double(height) - 0.45
      let x = (Double(pixel % width) + 0.5) / Double(width) - 0.4
      return (y * y + x * x).squareRoot() > radius && abs(x - y - 0.35) > radius / 5 ? 1 : 0
    })
  }

  static func inpainting(width: Int) -> [Gallery] {
    let picture = picture(height: 128, width: 128)
    let mask = hole(height: 128, width: 128)
    func filled(_ color: RGB, share: Float) -> Image {
      var image = picture
      for pixel in mask.known.indices where mask.known[pixel] == 0 { image[rgb: pixel] = picture[rgb: pixel].mixed(with: color, share: share) }
      return image
    }
    let colors = [RGB(220, 80, 80), RGB(80, 80, 220), RGB(90, 200, 90)]
    let rows = [
      CompletionFigure.Row(picture, mask: mask, firstStage: filled(.midGrey, share: 0.7), completions: colors.map { filled($0, share: 0.3) },
                           name: "00042.png", notes: ["L1 0.031", "L1 0.045", "L1 0.038"]),
      CompletionFigure.Row(picture, mask: hole(height: 128, width: 128, radius: 0.15), completions: [filled(colors[0], share: 0.2)],
                           hasTruth: false),
    ]
    let stages = [(64, 0.3, "tran.0 in"), (64, 0.25, "tran.0 block 0"), (64, 0.2, "tran.0 out"), (32, 0.12, "tran.1 block 1"), (16, 0, "tran.2")]
      .map { MaskStagesFigure.Stage($0.2, hole(height: $0.0, width: $0.0, radius: $0.1)) }
    let weights = (0..<256).map { token -> Float in
      let distance = pow(Double(token / 16) - 4, 2) + pow(Double(token % 16) - 11, 2)
      return Float(exp(-distance / 12))
    }
    let panels = [
      AttentionWindowFigure.Panel("tran.0 block 1", mask: hole(height: 64, width: 64), window: 8, shift: 4),
      AttentionWindowFigure.Panel("tran.1 block 0", mask: hole(height: 32, width: 32), window: 16, query: (20, 10, weights)),
      AttentionWindowFigure.Panel("tran.1 block 1", mask: hole(height: 32, width: 32), window: 16, shift: 8, query: (2, 30, weights)),
    ]
    return [
      Gallery(name: "completions", figure: CompletionFigure(rows, title: "completions", width: width),
              expected: ["completions", "mask"] + (width > 600 ? ["% known", "completion 1", "00042.png", "first stage", "truth", "L1 0.045"] : [])),
      Gallery(name: "mask-stages", figure: MaskStagesFigure(picture, stages: stages, title: "dynamic masks", width: width),
              expected: ["dynamic masks", "tran.1 block 1", "32x32", "100 % known"]),
      Gallery(name: "windows", figure: AttentionWindowFigure(picture, panels: panels, title: "attention windows", width: width),
              expected: ["attention windows", "windows of 16, shifted by 8"]),
    ]
  }
}
