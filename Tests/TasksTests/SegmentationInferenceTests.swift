import Base
import Data
import Foundation
import Models
import Networks
import Tasks
import Tensors
import Testing
import TestSupport
import Training
import Vision

/// The ways to ask a network, compared with the published rule written out: exponentials of logits, averaged over mirrored pictures (as
/// logits) and parts, added over scales.
@Suite struct SegmentationInferenceTests {
  private static let size = (height: 37, width: 50)

  private var config: SegmentationConfig {
    var config = SegmentationConfig()
    config.model = HRNetSegmentation.Config(.w18)
    config.model.backbone.stages = [.init(modules: 1, blocks: 1, widths: [4, 8]), .init(modules: 1, blocks: 1, widths: [4, 8, 8])]
      + [.init(modules: 1, blocks: 1, widths: [4, 8, 8, 8])]
    (config.model.backbone.stemWidth, config.model.backbone.layer1Blocks, config.model.backbone.layer1Width) = (8, 1, 4)
    config.model.classes = 4
    config.augmentation.baseSize = 0
    return config
  }

  /// Weights that give logits of about 1.
  private func network(_ config: SegmentationConfig) -> HRNetSegmentation {
    let model = Segmentation.model(config)
    for (number, (_, parameter)) in model.parameters().enumerated() where parameter.shape.count == 4 {
      var random = Random(seed: 7, stream: .test, sample: number)
      let fan = Double(parameter.shape[0] * parameter.shape[1] * parameter.shape[2])
      let values = (0..<parameter.value.count).map { _ in random.normal() * (2 / fan).squareRoot() }
      parameter.value = Tensor(values, shape: parameter.shape)
    }
    return model
  }

  /// Labels that `evaluate` writes for one picture of noise, and the picture.
  private func found(_ config: SegmentationConfig, _ model: HRNetSegmentation) throws -> (labels: LabelMap, image: Image) {
    try withTemporaryFolder { folder in
      var config = config
      (config.validation.images, config.validation.labels) = ("\(folder)/images", "\(folder)/labels")
      for name in ["images", "labels"] { try File.createFolder("\(folder)/\(name)") }
      let image = Image.noise(height: Self.size.height, width: Self.size.width)
      try image.write(to: "\(folder)/images/a.png")
      let none = LabelMap(height: Self.size.height, width: Self.size.width, filledWith: 0)
      try AtomicFile.write(PNG.encode(none, palette: []), to: "\(folder)/labels/a.png")
      _ = try Segmentation.evaluate(config, model, visuals: nil, results: "\(folder)/found", EvaluationMonitor())
      return (try LabelMap(contentsOf: "\(folder)/found/a.png"), image)
    }
  }

  private func normalized(_ image: Image) -> Tensor {
    Tensor(PixelNormalization()(image), shape: [1, image.height, image.width, 3])
  }

  private func logits(_ model: HRNetSegmentation, _ images: Tensor, flips: Bool) -> Tensor {
    noGradient {
      let size = Extent(height: images.shape[1], width: images.shape[2])
      let plain = model(images, .evaluation).logits.resized(to: size)
      guard flips else { return plain }
      let mirror = Array((0..<images.shape[2]).reversed())
      return (plain + model(images.gathered(2, mirror), .evaluation).logits.resized(to: size).gathered(2, mirror)) * 0.5
    }
  }

  private func expectSame(_ labels: LabelMap, _ scores: Tensor, sourceLocation: SourceLocation = #_sourceLocation) {
    let expected = scores.argmax()
    let different = zip(labels.values, expected).count { Int($0) != $1 }
    #expect(different <= 2, "\(different) of \(expected.count) pixels", sourceLocation: sourceLocation)
    #expect(Set(labels.values).count > 1, "a network that finds one class tests nothing", sourceLocation: sourceLocation)
  }

  @Test(arguments: [false, true]) func wholeAtOneScale(flips: Bool) throws {
    var config = config
    config.inference.flip = flips
    let model = network(config)
    let (labels, image) = try found(config, model)
    expectSame(labels, logits(model, normalized(image), flips: flips))
  }

  @Test func severalScalesMirrored() throws {
    var config = config
    (config.inference.scales, config.inference.flip) = ([0.5, 1, 1.5], true)
    let model = network(config)
    let (labels, image) = try found(config, model)
    var sum = Tensor.zeros([1, 37, 50, 4])
    // The longer side is rounded half up, the other one in proportion: 50 and 37 at scale 1.
    for (height, width) in [(19, 25), (37, 50), (56, 75)] {
      let rows = ResamplingAxis(resizing: 37, by: Double(height) / 37)
      let columns = ResamplingAxis(resizing: 50, by: Double(width) / 50)
      let seen = logits(model, normalized(image.sampled(rows: rows, columns: columns)), flips: true).exp()
      sum = sum + seen.resized(to: Extent(height: 37, width: 50))
    }
    expectSame(labels, sum)
  }

  @Test func inParts() throws {
    var config = config
    config.inference.mode = .sliding
    (config.inference.cropHeight, config.inference.cropWidth, config.inference.batchSize) = (48, 24, 2)
    let model = network(config)
    let (labels, image) = try found(config, model)
    // 37 rows are filled up to 48 with the mean colour; parts of 24 columns begin every 16, the last one at the border.
    let canvas = normalized(image).padded(1, before: 0, after: 11)
    let starts = [0, 16, 26]
    var sum = Tensor.zeros([1, 48, 50, 4])
    var counts = [Double](repeating: 0, count: 50)
    for start in starts {
      let part = logits(model, canvas.sliced(2, start..<start + 24), flips: false).exp()
      sum = sum + part.padded(2, before: start, after: 26 - start)
      for column in start..<start + 24 { counts[column] += 1 }
    }
    let mean = sum / Tensor(counts, shape: [1, 1, 50, 1])
    expectSame(labels, mean.sliced(1, 0..<37))
  }
}
