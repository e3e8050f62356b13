import Base
import Foundation
import Models
import Training
import Vision

/// The parts that networks trained for tracking alone stand behind: appearance, verification, motion, affinity.
struct LearnedTrackingParts {
  private(set) var measurements: [any FrameMeasurement] = []
  private(set) var terms: [WeightedAffinity.Term] = []

  /// - Parameter checksum: takes in the weights.
  /// - Throws: as `TrackingParts`.
  init(_ config: TrackingConfig, _ checksum: inout CRC32C) throws {
    let networks = config.networks
    let usesTerms = config.kind == .parts || config.kind == .batch
    let usesSiamese = usesTerms && config.affinity.siamese > 0
    // A verification network judges its own vectors.
    let appearance = usesSiamese ? networks.siamese : networks.appearance
    if appearance.isNamed, config.detector.kind != .features || usesSiamese, config.kind != .sort {
      let section = usesSiamese ? "networks.siamese" : "networks.appearance"
      let (own, model) = try Appearance.loaded(appearance, section, &checksum)
      measurements.append(AppearanceMeasurement(AppearanceExtractor(model, batchSize: own.inference.batchSize)))
      if usesSiamese {
        terms.append(.init(config.affinity.siamese, try VerificationAffinity(networks.siamese, own)))
      }
    }
    for (name, weight, network) in [("lstm", config.affinity.lstm, networks.lstm), ("learned", config.affinity.learned, networks.learned)]
    where usesTerms && weight > 0 && network.isNamed {
      throw Failure(.usage, at: "networks.\(name).config", "there is no such network in this version", remedy: "Leave it out.")
    }
  }
}

/// The appearance vector of each detection, by a network.
struct AppearanceMeasurement: FrameMeasurement {
  private let extractor: AppearanceExtractor

  init(_ extractor: AppearanceExtractor) { self.extractor = extractor }

  func measure(_ frame: VideoFrame, after previous: VideoFrame?, into observation: inout FrameObservation) {
    guard let image = frame.image else { return }
    let usable = observation.detections.indices.filter { observation.detections[$0].isUsable }
    observation.appearance = Array(repeating: [], count: observation.detections.count)
    let vectors = extractor.features(of: usable.map { observation.detections[$0].box.fromZero }, in: image)
    for (index, vector) in zip(usable, vectors) { observation.appearance[index] = vector.map(Double.init) }
  }
}

/// A verification network's probability that two crops show one object, `σ(wᵀ |fₐ - f_b| + b)`: that of the most similar one of the
/// track's latest vectors.
struct VerificationAffinity: Affinity {
  private let weight: [Double]
  private let bias: Double

  /// Vectors of a track that are compared, the newest ones.
  private static let depth = 10

  init(weight: [Double], bias: Double) { (self.weight, self.bias) = (weight, bias) }

  /// The weights behind a network that was trained with the verification loss.
  /// - Throws: `.usage` if it was trained with another loss, `.badData` if the weights are not there.
  init(_ network: TrackingNetwork, _ config: AppearanceConfig) throws {
    guard config.loss.kind == .verification else {
      let found = config.loss.kind.configName
      throw Failure(.usage, at: "networks.siamese.config", "the loss of \(network.config) is \(found), expected verification",
                    remedy: "Train the appearance network with loss.kind=verification.")
    }
    let (file, state) = try WeightSource(network.weights).read(part: AppearanceTraining.weightsPart)
    guard let weight = state["head.weight"]?.tensor, let bias = state["head.bias"]?.tensor,
          weight.count == config.model.features, bias.count == 1 else {
      throw Failure(.badData, at: file, "there is no head.weight of \(config.model.features) numbers, or no head.bias",
                    remedy: "Name the run, or a checkpoint of it: files of the network alone lack what the loss learnt.")
    }
    self.init(weight: weight.doubles, bias: bias.doubles[0])
  }

  func scores(_ tracks: [Track], _ observation: FrameObservation) -> [Double] {
    let vectors = observation.detections.indices.map(observation.vector)
    return tracks.flatMap { track in
      vectors.map { vector -> Double in
        guard let vector, !track.vectors.isEmpty else { return .nan }
        return track.vectors.suffix(Self.depth).map { probability($0, vector) }.max() ?? .nan
      }
    }
  }

  private func probability(_ a: [Double], _ b: [Double]) -> Double {
    require(a.count == weight.count && b.count == weight.count, "VerificationAffinity: vectors of \(a.count) and \(b.count) numbers")
    var sum = bias
    for i in weight.indices { sum += weight[i] * abs(a[i] - b[i]) }
    return 1 / (1 + exp(-sum))
  }
}
