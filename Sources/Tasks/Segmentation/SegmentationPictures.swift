import Base
import Data
import Drawing
import Vision

extension Segmentation {
  /// The colours of the classes: those of Cityscapes' benchmark for its classes, and others that can be told apart.
  static func palette(_ config: SegmentationConfig) -> [RGB] {
    if config.labels.preset == .cityscapes, config.model.classes == Cityscapes.classes.count { return Cityscapes.classes.map(\.color) }
    return (0..<config.model.classes).map { Palette.color($0).rgb }
  }

  private static func classes(_ config: SegmentationConfig) -> [LabelOverlay.Class] {
    zip(config.classNames, palette(config)).map { LabelOverlay.Class($0, Color($1)) }
  }

  /// A picture with the colours of labels over it, and their names.
  static func overlay(of image: Image, _ labels: LabelMap, _ config: SegmentationConfig) -> LabelOverlay {
    LabelOverlay(image, labels: labels.values.map { $0 == LabelMap.ignored ? -1 : Int($0) }, classes: classes(config),
                 opacity: Float(config.inference.opacity))
  }

  /// The picture, its labels, what is found, and the pixels whose class is wrong.
  static func comparison(of sample: SegmentationSample, _ found: LabelMap, _ config: SegmentationConfig) -> FigureGrid {
    let width = min(480, max(240, sample.image.width))
    func picture(_ labels: LabelMap) -> LabelOverlay {
      LabelOverlay(sample.image, labels: labels.values.map { $0 == LabelMap.ignored ? -1 : Int($0) }, classes: classes(config),
                   opacity: Float(config.inference.opacity), width: width)
    }
    var wrong = sample.image
    for pixel in found.values.indices {
      let isCounted = sample.labels.values[pixel] != LabelMap.ignored
      let isWrong = isCounted && sample.labels.values[pixel] != found.values[pixel]
      wrong[rgb: pixel] = isWrong ? RGB(230, 30, 60) : wrong[rgb: pixel].mixed(with: isCounted ? .white : .midGrey, share: 0.6)
    }
    var score = SegmentationScore(classes: config.model.classes)
    score.add(truth: sample.labels, found: found)
    let errors = score.pixelAccuracy.map { "\(Int((100 * (1 - $0)).rounded())) % of the pixels" } ?? "no pixel counts"
    return FigureGrid([
      .init("picture", ImageFigure(sample.image.fitted(width: width))), .init("labels", picture(sample.labels)),
      .init("found", picture(found)), .init("wrong", note: errors, ImageFigure(wrong.fitted(width: width))),
    ], columns: 2)
  }

  /// IoU class by class; classes that do not occur have no bar.
  static func classFigure(_ score: SegmentationScore, _ config: SegmentationConfig) -> BarPlot {
    let bars = zip(config.classNames, score.classScores).map { name, entry in BarPlot.Bar(name, entry.iou ?? .nan) }
    let mean = BarPlot.Bar("mean", score.meanIoU ?? .nan, colorIndex: 1)
    var plot = BarPlot(title: "IoU of the classes", label: "IoU", bars: bars + [mean])
    plot.better = .higher
    return plot
  }

  /// Labels as a PNG with a palette, in the numbers that the config asks for.
  static func labelFile(_ labels: LabelMap, _ config: SegmentationConfig) -> [UInt8] {
    guard config.inference.numbers == .files else { return PNG.encode(labels, palette: palette(config)) }
    let numbers = (0..<config.model.classes).map { UInt16(config.labels.number(of: $0)) }
    var map = labels
    map.values = labels.values.map { numbers[Int($0)] }
    if numbers.contains(where: { $0 > 255 }) {
      return PNG.encode(Image16(height: map.height, width: map.width, channels: 1, samples: map.values))
    }
    return PNG.encode(Image(height: map.height, width: map.width, channels: 1, pixels: map.values.map { UInt8($0) }))
  }
}
