import Base
import Data
import Models
import Tensors
import Training
import Vision
import WeightFiles

extension Appearance: PredictionTask {
  public static let predictOptions = [
    TaskOption("vectors", key: "inference.format", .value, help: "The files of vectors: npy or safetensors.")
  ]

  public static func predictor(_ config: AppearanceConfig, _ model: AppearanceNetwork, source: [String]) throws -> AppearancePredictor {
    AppearancePredictor(items: try ImageFiles.named(source), model: model, config: config)
  }
}

/// Writes the vectors of one crop after the other.
public struct AppearancePredictor: PicturePredictor {
  public typealias Item = ImageFiles.Entry

  /// All that the bits of a result depend on besides weights and images.
  public struct Settings: Encodable {
    let model: AppearanceNetwork.Config
    let format: AppearanceInferenceSettings.Format
  }

  public let items: [Item]
  let model: AppearanceNetwork
  let config: AppearanceConfig

  private var isNumPy: Bool { config.inference.format == .npy }
  public var suffixes: [String] { [isNumPy ? ".npy" : ".safetensors"] }
  public var noun: String { "vectors" }
  public var explanation: String { isNumPy ? "NAME.npy" : "NAME.safetensors with the tensor features" }
  public var settings: Settings { Settings(model: config.model, format: config.inference.format) }

  public mutating func write(_ item: Item, from carry: Safetensors?, to place: String, _ memory: MemoryGuard) throws -> Safetensors? {
    let image = try Image(contentsOf: item.path)
    let vector = AppearanceExtractor(model, batchSize: 1).features(of: [image])[0]
    let features = Tensor(vector, shape: [vector.count])
    if isNumPy {
      try NumPyFile.write(features, to: "\(place).npy")
    } else {
      try Safetensors([.init("features", features)]).write(to: "\(place).safetensors")
    }
    return nil
  }
}
