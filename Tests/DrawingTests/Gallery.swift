import Drawing
import Foundation
import Vision

/// One example of every figure, at the width of a narrow column and of a screen.
struct Gallery {
  let name: String
  let figure: any Figure
  /// Texts that must be found on it.
  let expected: [String]
  /// Labels on pictures may lie where they are.
  var mayOverlap = false

  static let widths = [400, 1280]

  static func all(width: Int) -> [Gallery] {
    [charts, flow, overlays, detection, pose, inpainting].flatMap { $0(width) }
  }

  /// A curve that falls and wobbles.
  static func curve(_ count: Int, from start: Double, to end: Double, wobble: Double = 0.1, step: Double = 500) -> [Point] {
    (0..<count).map { index in
      let x = Double(index) * step
      let fall = end + (start - end) * exp(-4 * Double(index) / Double(max(1, count - 1)))
      return Point(x, fall * (1 + wobble * sin(Double(index) * 2.3) * cos(Double(index) * 0.7)))
    }
  }

  static func charts(width: Int) -> [Gallery] {
    var plot = LinePlot(title: "End-point error", xLabel: "step", yLabel: "EPE", series: [
      .init(name: "training batches", points: curve(201, from: 19, to: 1.5, wobble: 0.3, step: 100)),
      .init(name: "validation", points: curve(21, from: 17, to: 2.2, step: 1000)),
      .init(name: "validation, averaged weights", points: curve(21, from: 16, to: 2, wobble: 0.03, step: 1000), style: .dashed),
    ])
    plot.unit = "px"
    plot.better = .lower
    plot.width = Double(width)
    plot.height = width < 800 ? 280 : 480
    var log = plot
    log.title = "End-point error, logarithmic"
    log.yScale = .log
    var panels: [LinePlot] = []
    let kinds = [("loss", "", BetterDirection.lower), ("PQ", "%", .higher), ("learning rate", "", nil), ("gradient norm", "", .lower)]
    for (title, unit, better) in kinds {
      var panel = LinePlot(title: title, xLabel: "step", yLabel: title, series: [
        .init(name: "", points: curve(60, from: title == "learning rate" ? 4e-4 : 40, to: title == "learning rate" ? 1e-6 : 12)),
      ])
      panel.unit = unit
      panel.better = better
      panel.width = Double(width < 800 ? width - 20 : (width - 30) / 2)
      panel.height = 220
      panels.append(panel)
    }
    let sheet = FigureGrid(panels.map { .init($0) }, columns: width < 800 ? 1 : 2, title: "run 2026-01-02, all metrics")
    var bars = BarPlot(title: "Ablation: what each part brings", label: "EPE on Sintel (train), final pass", bars: [
      .init("RAFT-small as published", 3.35, error: 0.12), .init("without context", 3.91, error: 0.2),
      .init("feature encoder at one scale only, no pooling", 3.62, error: 0.05), .init("convolutions for the GRU", 3.5, colorIndex: 1),
    ])
    bars.unit = "px"
    bars.better = .lower
    bars.width = Double(width)
    return [
      Gallery(name: "line", figure: plot, expected: ["End-point error", "EPE, px", "↓ lower is better", "step", "validation", "20k"]),
      Gallery(name: "log", figure: log, expected: ["2", "10"]),
      Gallery(name: "curves", figure: sheet, expected: ["run 2026", "PQ", "%   ↑ higher is better"]),
      Gallery(name: "bars", figure: bars, expected: ["RAFT-small as", "3.35 ± 0.12", "3.50"]),
    ]
  }

  /// A picture with a gradient and a bright disc.
  static func picture(height: Int, width: Int) -> Image {
    var image = Image(height: height, width: width, color: .black)
    for y in 0..<height {
      for x in 0..<width {
        let isDisc = (x - width / 3) * (x - width / 3) + (y - height / 2) * (y - height / 2) < height * height / 16
        image[rgb: y * width + x] = isDisc ? RGB(240, 220, 180) : RGB(UInt8(40 + 120 * x / width), UInt8(90 + 60 * y / height), 80)
      }
    }
    return image
  }

  /// A field that turns around its centre, and one that is off the more the farther right.
  static func fields(height: Int, width: Int) -> (truth: FlowField, predicted: FlowField) {
    var truth: [Float] = []
    var predicted: [Float] = []
    for y in 0..<height {
      for x in 0..<width {
        let u = Float(y - height / 2) / Float(height) * 24
        let v = Float(width / 2 - x) / Float(width) * 24
        let error = 25 * Float(x * x) / Float(width * width)
        truth += [u, v]
        predicted += [u + error, v]
      }
    }
    let isValid = (0..<height * width).map { $0 % width < width - 12 }
    return (FlowField(height: height, width: width, vectors: truth, isValid: isValid),
            FlowField(height: height, width: width, vectors: predicted))
  }

  static func flow(width: Int) -> [Gallery] {
    let image = picture(height: 96, width: 128)
    let (truth, predicted) = fields(height: 96, width: 128)
    let updates = (1...6).map { step in
      FlowField(height: 96, width: 128, vectors: zip(truth.vectors, predicted.vectors).map { $0 + ($1 - $0) / Float(step) })
    }
    return [
      Gallery(
        name: "validation",
        figure: ValidationFigure(
          image1: image, image2: image, truth: truth, predicted: predicted, title: "00017_img1, step 12000", width: width),
        expected: ["00017_img1, step 12000", "image 1", "true flow", "predicted flow", "end-point error", "max flow", "px", "20+",
                   "black: unknown", "darker: longer"]),
      Gallery(name: "iterations", figure: IterationFigure(truth: truth, updates: updates, title: "00017_img1", width: width),
              expected: ["iteration 6", "EPE", "↓ lower is better", "max flow"]),
      Gallery(name: "flow", figure: FlowColorWheel.figure(of: truth, width: width), expected: ["max flow", "px", "at the rim"]),
      Gallery(name: "error", figure: EndPointErrorMap.figure(predicted: predicted, truth: truth, width: width),
              expected: ["0", "20+", "px"]),
    ]
  }

  static func overlays(width: Int) -> [Gallery] {
    let image = picture(height: 240, width: 320)
    let boxes = [
      LabeledBox(Rectangle(left: 46, top: 60, width: 120, height: 120), label: "disc 0.98", color: Palette.color(0)),
      LabeledBox(Rectangle(left: 50, top: 64, width: 110, height: 110), label: "disc", color: Palette.color(1), isDashed: true),
      LabeledBox(Rectangle(left: 250, top: 2, width: 80, height: 60), label: "a corner with a long name 0.31", color: Palette.color(4)),
    ]
    let joints: [Point?] = [Point(230, 90), Point(230, 130), Point(205, 160), Point(255, 160), nil, Point(250, 210)]
    let limbs = [(0, 1, 5), (1, 2, 2), (1, 3, 1), (3, 5, 1)].map { PicturedSkeleton.Limb($0.0, $0.1, Palette.color($0.2)) }
    let skeleton = PicturedSkeleton(joints: joints, limbs: limbs)
    let names = ["road", "sidewalk", "building", "traffic light", "vegetation", "sky", "person", "rider", "car", "truck", "bus", "bicycle"]
    let classes = names.enumerated().map { LabelOverlay.Class($0.element, Palette.color($0.offset)) }
    let labels = (0..<240 * 320).map { pixel in pixel / 320 < 8 ? 255 : pixel % 320 / 40 + 4 * (pixel / 320 / 180) }
    let heat = (0..<240 * 320).map { pixel in
      let dx = Float(pixel % 320 - 107) / 40
      let dy = Float(pixel / 320 - 120) / 40
      return exp(-(dx * dx + dy * dy) / 2)
    }
    let mask = Image(height: 240, width: 320, channels: 1, pixels: heat.map { $0 > 0.5 ? 255 : 0 })
    let cell = (width - 50) / 4
    let row = [image, mask, image, image]
    return [
      Gallery(name: "boxes", figure: AnnotatedPicture(image, boxes: boxes, skeletons: [skeleton], width: width),
              expected: ["disc 0.98", "a corner"], mayOverlap: true),
      Gallery(name: "labels", figure: LabelOverlay(image, labels: labels, classes: classes, width: width),
              expected: ["road", "traffic light", "bicycle"]),
      Gallery(name: "heat", figure: Heatmap(heat, height: 240, width: 320, label: "score", over: image, displayWidth: width),
              expected: ["0", "1", "score"]),
      Gallery(name: "grid",
              figure: FigureGrid(headings: ["input", "mask", "output", "truth"], rows: [row, row], title: "inpainting", width: cell),
              expected: ["input", "mask", "output", "truth", "inpainting"]),
    ]
  }
}
