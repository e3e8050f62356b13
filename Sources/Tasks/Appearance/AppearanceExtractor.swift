import Base
import Data
import Models
import Networks
import Tensors
import Training
import Vision

/// Gives crops of objects their vectors, for trackers: batched, without recording gradients.
///
/// ```swift
/// let weights = WeightSource("work_dirs/appearance-demo/RUN")
/// let extractor = try AppearanceExtractor(config: "configs/tracking/appearance-demo.yaml", weights: weights)
/// let features = extractor.features(of: boxes, in: frame)   // one vector of length 1 for each box
/// ```
public struct AppearanceExtractor {
  private let network: AppearanceNetwork
  private let batchSize: Int

  /// - Parameter batchSize: crops that the network sees at once; vectors may depend on it by rounding.
  public init(_ network: AppearanceNetwork, batchSize: Int = 64) {
    require(batchSize > 0, "AppearanceExtractor: batches of \(batchSize)")
    self.network = network
    self.batchSize = batchSize
  }

  /// The network of a config of the task `appearance`, with trained weights. The plan of that config has no effect.
  /// - Throws: `.usage` for what is wrong in the config; the failures of reading; `.badData` if the weights are not this network's.
  public init(config path: String, weights: WeightSource, overrides: [ConfigOverride] = []) throws {
    let config = try ConfigLoader(defaults: AppearanceConfig()).load(file: path, overrides: overrides).value
    let network = Appearance.model(config)
    try weights.load(into: network, title: Appearance.modelTitle(config))
    self.init(network, batchSize: config.inference.batchSize)
  }

  /// Numbers of a vector.
  public var length: Int { network.config.features }

  /// The vectors of boxes in an image, each of length 1. The network sees the box's height and centre in its own proportions; a box of
  /// which nothing lies in the image has a vector of zeros, as far from every other as can be.
  /// - Parameter boxes: in pixels from 0; files of the MOTChallenge count from 1.
  public func features(of boxes: [BoundingBox], in image: Image) -> [[Float]] {
    let picture = image.rgb()
    let parts = boxes.map { picture.part(around: $0, aspect: network.config.aspect) }
    var found = features(of: parts.compactMap { $0 }).makeIterator()
    return parts.map { $0 == nil ? [Float](repeating: 0, count: length) : found.next() ?? [] }
  }

  /// The vectors of pictures that show one object each.
  public func features(of crops: [Image]) -> [[Float]] {
    let (height, width) = (network.config.height, network.config.width)
    return noGradient {
      stride(from: 0, to: crops.count, by: batchSize).flatMap { start -> [[Float]] in
        let inputs = crops[start..<min(start + batchSize, crops.count)].map {
          AppearanceInput($0.rgb().resized(height: height, width: width), identity: 0)
        }
        let values = network(AppearanceBatch(inputs).images, .evaluation).floats
        return inputs.indices.map { Array(values[$0 * length..<($0 + 1) * length]) }
      }
    }
  }
}
