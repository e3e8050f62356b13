import Base
import Foundation
import Models
import Tensors
import Training
import Vision
import WeightFiles

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
    if usesTerms, config.affinity.lstm > 0 {
      let (own, model) = try Motion.loaded(networks.lstm, "networks.lstm", &checksum)
      terms.append(.init(config.affinity.lstm, ForecastAffinity(model, history: own.window.history)))
    }
    if usesTerms, config.affinity.learned > 0 {
      let (_, model) = try Matching.loaded(networks.learned, "networks.learned", &checksum)
      terms.append(.init(config.affinity.learned, LearnedAffinity(scorer: MatchScorer(model))))
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
    var appearance = [[Double]](repeating: [], count: observation.detections.count)
    let vectors = extractor.features(of: usable.map { observation.detections[$0].box.countedFromZero }, in: image)
    for (index, vector) in zip(usable, vectors) { appearance[index] = vector.map(Double.init) }
    observation.appearance = appearance
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
    guard try File.kind(at: network.weights) == .folder else {
      throw Failure(.usage, at: "networks.siamese.weights", "\(network.weights) is no run and no checkpoint",
                    remedy: "Name one of these: a file of the network alone lacks what the loss learnt.")
    }
    let (file, state) = try WeightSource(network.weights).read(part: AppearanceTraining.headPart)
    guard let weight = state["weight"]?.tensor, let bias = state["bias"]?.tensor, weight.count == config.model.features, bias.count == 1
    else {
      throw Failure(.badData, at: file, "there is no weight of \(config.model.features) numbers, or no bias",
                    remedy: "These are not weights of the verification loss.")
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

/// IoU of a detection with the box that a motion network predicts from the latest frames of a track. Of a track that was not seen in as
/// many frames as the network looks at, it cannot tell.
struct ForecastAffinity: Affinity {
  private let forecaster: MotionForecaster
  private let history: Int

  /// - Parameter history: frames of a track that the network looks at.
  init(_ network: MotionLSTM, history: Int) {
    self.history = min(history, Track.historyLength - 1)
    forecaster = MotionForecaster(network, history: self.history)
  }

  func scores(_ tracks: [Track], _ observation: FrameObservation) -> [Double] {
    let steps = tracks.map { $0.history.suffix(history + 1) }
    let known = tracks.indices.filter { steps[$0].contains(where: \.isObserved) }
    let boxes = forecaster.boxes(after: known.map { steps[$0].map { $0.isObserved ? $0.box : nil } }).map { $0.first }
    var predicted = [BoundingBox?](repeating: nil, count: tracks.count)
    for (track, box) in zip(known, boxes) { predicted[track] = box }
    return predicted.flatMap { box in
      observation.detections.map { detection in
        guard let box, box.isFinite else { return Double.nan }
        return box.iou(with: detection.box)
      }
    }
  }
}

/// A perceptron's probability that a detection continues a track, by places, sizes, age and appearance.
struct LearnedAffinity: Affinity {
  let scorer: MatchScorer

  func scores(_ tracks: [Track], _ observation: FrameObservation) -> [Double] {
    let vectors = observation.detections.indices.map(observation.vector)
    let usable = observation.detections.indices.filter { observation.detections[$0].isUsable }
    let count = observation.detections.count
    var scores = [Double](repeating: .nan, count: tracks.count * count)
    let pairs = tracks.indices.flatMap { track in usable.map { (track: track, detection: $0) } }
    let features = pairs.map { pair in
      let track = tracks[pair.track]
      let last = track.history.last(where: \.isObserved)?.box ?? track.carried
      return PairFeatures(
        predicted: track.predicted, last: last, gap: max(1, track.timeSinceUpdate), detection: observation.detections[pair.detection],
        cosineDistance: vectors[pair.detection].flatMap(track.cosineDistance))
    }
    for (pair, score) in zip(pairs, scorer.probabilities(features)) { scores[pair.track * count + pair.detection] = score }
    return scores
  }
}
