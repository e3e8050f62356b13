import Base
import Data
import Drawing
import Models
import Tensors
import Training
import Vision
import WeightFiles

extension Segmentation: PredictionTask {
  public static let predictOptions = [
    TaskOption("flip", key: "inference.flip", .switchable, help: "Also ask the network about the mirrored picture."),
    TaskOption("scales", key: "inference.scales", .value, help: "The scales at which a picture is seen, such as [0.75,1,1.25]."),
    TaskOption("mode", key: "inference.mode", .value, help: "whole or sliding: the picture at once, or in parts that overlap."),
  ]

  public static func predictor(_ config: SegmentationConfig, _ model: HRNetSegmentation, source: [String]) throws -> SegmentationPredictor {
    SegmentationPredictor(items: try ImageFiles.drawn(source), model: model, config: config)
  }
}

/// Writes and draws the labels of one image after the other.
public struct SegmentationPredictor: PicturePredictor {
  public typealias Item = ImageFiles.Entry

  /// All that the bits of a result depend on besides weights and images.
  public struct Settings: Encodable {
    let model: HRNetSegmentation.Config
    let labels: LabelRules
    let inference: SegmentationInferenceSettings
    let augmentation: SegmentationAugmentation
  }

  public let items: [Item]
  let model: HRNetSegmentation
  let config: SegmentationConfig

  public var suffixes: [String] { [".png", "_overlay.png"] }
  public var noun: String { "label files" }
  public var explanation: String { "NAME.png (the class of each pixel) and NAME_overlay.png" }
  public var settings: Settings {
    Settings(model: config.model, labels: config.labels, inference: config.inference, augmentation: config.augmentation)
  }

  public mutating func write(_ item: Item, from carry: Safetensors?, to place: String, _ memory: MemoryGuard) throws -> Safetensors? {
    let image = try Image(contentsOf: item.path).rgb()
    let labels = try Segmenter(model, config, memory)([image])[0]
    try Segmentation.overlay(of: image, labels, config).write(to: "\(place)_overlay.png")
    try AtomicFile.write(Segmentation.labelFile(labels, config), to: "\(place).png")
    return nil
  }
}
