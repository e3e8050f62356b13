import Base
import Data
import Models
import Networks
import Tensors
import Training
import Vision
import WeightFiles

/// The parts of a tracker, its networks read once for all sequences.
struct TrackingParts {
  let config: TrackingConfig
  private var detector: (any DetectionSource)?
  private var measurements: [any FrameMeasurement] = []
  private let affinity: WeightedAffinity
  /// Of all weights in use.
  private(set) var checksum = CRC32C()

  /// - Throws: `.usage` for configs of other tasks, and the failures of reading configs and weights.
  init(_ config: TrackingConfig) throws {
    self.config = config
    var checksum = CRC32C()
    if config.detector.kind == .detr {
      let (own, model) = try Detection.loaded(config.detector.network, "detector", &checksum)
      detector = NetworkDetector(model, own, config.detector)
    }
    var terms = [WeightedAffinity.Term(config.affinity.iou, IoUAffinity()),
                 WeightedAffinity.Term(config.affinity.mahalanobis, MahalanobisAffinity()),
                 WeightedAffinity.Term(config.affinity.appearance, AppearanceAffinity())]
    let usesTerms = config.kind == .parts || config.kind == .batch
    if usesTerms, config.affinity.flow > 0 {
      let (own, model) = try OpticalFlow.loaded(config.networks.flow, "networks.flow", &checksum)
      measurements.append(FlowMeasurement(model, own))
      terms.append(.init(config.affinity.flow, FlowAffinity()))
    }
    if usesTerms, config.affinity.pose > 0 {
      let (own, model) = try Pose.loaded(config.networks.pose, "networks.pose", &checksum)
      measurements.append(PoseMeasurement(model, own))
      terms.append(.init(config.affinity.pose, PoseAffinity(own.skeleton.skeleton)))
    }
    let learned = try LearnedTrackingParts(config, &checksum)
    measurements += learned.measurements
    terms += learned.terms
    affinity = WeightedAffinity(terms)
    self.checksum = checksum
  }

  /// Whether a part looks at pictures.
  var looksAtPictures: Bool { detector != nil || !measurements.isEmpty }

  // MARK: Steps

  /// The observations of a sequence from a frame on.
  func observations(of input: TrackingInput, startingAt start: Int = 0) throws -> ObservationSequence {
    let listed = try input.listed(config.detector)
    let source = detector ?? ListedDetections(listed?.detections ?? [])
    let known: [any FrameMeasurement] = listed.map { $0.vectors.isEmpty ? [] : [ListedVectors($0.vectors)] } ?? []
    return ObservationSequence(
      source, known + measurements, length: try input.length(listed, looksAtPictures: looksAtPictures), startingAt: start,
      image: input.image)
  }

  /// The tracker, before the first frame; nil for a batch tracker.
  func onlineTracker() -> StoredTracker? {
    switch config.kind {
    case .sort: .sort(SORT(config.sort))
    case .deepsort: .deepSORT(DeepSORT(config.deepsort))
    case .parts:
      .composite(CompositeTracker(affinity, gates: config.gates, association: config.association, lifecycle: config.tracks))
    case .batch: nil
    }
  }

  func batchTracker() -> BatchTracker {
    BatchTracker(affinity, config.batch, gates: config.gates, lifecycle: config.tracks, minAffinity: config.association.minAffinity)
  }
}

/// An online tracker whose state can be stored between two frames.
enum StoredTracker: OnlineTracker {
  case sort(SORT)
  case deepSORT(DeepSORT)
  case composite(CompositeTracker)

  mutating func update(_ observation: FrameObservation) -> [TrackedBox] {
    switch self {
    case .sort(var tracker):
      defer { self = .sort(tracker) }
      return tracker.update(observation)
    case .deepSORT(var tracker):
      defer { self = .deepSORT(tracker) }
      return tracker.update(observation)
    case .composite(var tracker):
      defer { self = .composite(tracker) }
      return tracker.update(observation)
    }
  }

  /// The state as a file holds it.
  enum State: Codable {
    case sort(SORT)
    case deepSORT(DeepSORT)
    case composite(CompositeTracker.State)
  }

  var state: State {
    switch self {
    case .sort(let tracker): .sort(tracker)
    case .deepSORT(let tracker): .deepSORT(tracker)
    case .composite(let tracker): .composite(tracker.state)
    }
  }

  /// Takes up a state; one of another kind of tracker is left.
  mutating func restore(_ state: State) {
    switch (self, state) {
    case (.sort, .sort(let tracker)): self = .sort(tracker)
    case (.deepSORT, .deepSORT(let tracker)): self = .deepSORT(tracker)
    case (.composite(var tracker), .composite(let state)):
      tracker.state = state
      self = .composite(tracker)
    default: break
    }
  }
}

/// Appearance vectors that a file gives.
struct ListedVectors: FrameMeasurement {
  private let vectors: [[[Double]]]
  let needsImages = false

  init(_ vectors: [[[Double]]]) { self.vectors = vectors }

  func measure(_ frame: VideoFrame, after previous: VideoFrame?, into observation: inout FrameObservation) {
    observation.appearance = vectors[frame.index]
  }
}

// MARK: Networks of other tasks

/// Reads what a key of the config names; a failure tells the key, too.
func withPath<Result>(in key: String, _ read: () throws -> Result) throws -> Result {
  do {
    return try read()
  } catch let failure as Failure {
    let place = "The path stands in \(key)."
    throw failure.told(remedy: failure.remedy.isEmpty ? place : "\(failure.remedy)\n  \(place)")
  }
}

extension LearningTask {
  /// A network of this task by its config and weights.
  /// - Parameters:
  ///   - section: of the tracker's config, for errors.
  ///   - checksum: takes in the weights.
  /// - Throws: `.usage` if the config is of another task or broken, and the failures of reading weights.
  static func loaded(_ network: TrackingNetwork, _ section: String, _ checksum: inout CRC32C) throws -> (config: Config, model: Model) {
    let request = ConfigRequest(network.config)
    let task = try withPath(in: "\(section).config") { try request.task() }
    guard task == Self.self else {
      let name = try TaskName.named(in: network.config, overrides: []).configName
      throw Failure(.usage, at: "\(section).config", "\(network.config) is of the task '\(name)'",
                    remedy: "Expected a config of \(help.title).")
    }
    let config = try completed(request).value
    let model = model(config)
    try withPath(in: "\(section).weights") {
      try WeightSource(network.weights).load(into: model, title: modelTitle(config), part: TaskTraining.weightsPart)
    }
    model.stateDictionary().safetensors().bytes.withUnsafeBytes { checksum.update($0) }
    return (config, model)
  }
}

/// A detection network as the source of boxes.
struct NetworkDetector: DetectionSource {
  private let detector: Detector
  private let config: DetectionConfig
  private let settings: TrackingDetector
  private let memory: MemoryGuard
  let needsImages = true

  init(_ model: DETRModel, _ config: DetectionConfig, _ settings: TrackingDetector) {
    detector = Detector(model)
    (self.config, self.settings) = (config, settings)
    memory = MemoryGuard(Detection.self, config, model, .inference)
  }

  var batchSize: Int { settings.batchSize }

  func detections(in frames: [VideoFrame]) throws -> [[DetectedBox]] {
    let images = frames.compactMap(\.image)
    let batch = DetectionBatch(images.map { DetectionElement(config.augmentation.evaluated(DetectionSample(image: $0, objects: []))) })
    try memory.require(InputShape(samples: images.count, height: batch.images.canvas.height, width: batch.images.canvas.width))
    let found = detector(batch.images, originalSizes: images.map { Extent(height: $0.height, width: $0.width) })
    return found.map { prediction in
      prediction.detections.compactMap { detection in
        let category = config.categories.id(ofLabel: detection.label)
        let isWanted = settings.categories.isEmpty || settings.categories.contains(category)
        guard detection.score >= settings.threshold, isWanted else { return nil }
        return DetectedBox(detection.box.countedFromOne, score: detection.score, category: category)
      }
    }
  }
}

/// Optical flow from the frame before, by a network.
struct FlowMeasurement: FrameMeasurement {
  private let estimator: FlowEstimator
  private let memory: MemoryGuard

  init(_ model: OpticalFlow.Model, _ config: OpticalFlowConfig) {
    estimator = FlowEstimator(model, config.inference)
    memory = MemoryGuard(OpticalFlow.self, config, model, .inference)
  }

  func measure(_ frame: VideoFrame, after previous: VideoFrame?, into observation: inout FrameObservation) throws {
    guard let first = previous?.image, let second = frame.image else { return }
    guard first.height == second.height, first.width == second.width else {
      throw Failure(.badData, at: "frame \(frame.index + 1)", "this picture is \(second.width)x\(second.height), the one before "
                    + "\(first.width)x\(first.height)", remedy: "All pictures of a sequence are of one size.")
    }
    try memory.require(InputShape(samples: 1, height: first.height, width: first.width))
    observation.flow = estimator(first, second).flow
  }
}

/// The keypoints of each detection, by a network.
struct PoseMeasurement: FrameMeasurement {
  private let estimator: PoseEstimator
  private let config: PoseConfig
  private let memory: MemoryGuard

  init(_ model: HRNetPose, _ config: PoseConfig) {
    estimator = PoseEstimator(model, config)
    self.config = config
    memory = MemoryGuard(Pose.self, config, model, .inference)
  }

  func measure(_ frame: VideoFrame, after previous: VideoFrame?, into observation: inout FrameObservation) throws {
    guard let image = frame.image else { return }
    let usable = observation.detections.indices.filter { observation.detections[$0].isUsable }
    observation.poses = Array(repeating: [], count: observation.detections.count)
    for start in stride(from: 0, to: usable.count, by: config.inference.batchSize) {
      let batch = usable[start..<min(start + config.inference.batchSize, usable.count)]
      try memory.require(InputShape(samples: batch.count, height: config.crop.height, width: config.crop.width))
      let found = estimator.keypoints(of: batch.map { observation.detections[$0].box.countedFromZero }, in: image, config.crop)
      for (index, body) in zip(batch, found) { observation.poses[index] = body.keypoints }
    }
  }
}
