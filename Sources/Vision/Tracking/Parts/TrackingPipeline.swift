import Base

/// A frame of a video.
public struct VideoFrame: Sendable {
  /// From 0.
  public let index: Int
  /// nil if no part of the tracker looks at pictures.
  public let image: Image?

  public init(index: Int, image: Image? = nil) {
    self.index = index
    self.image = image
  }
}

/// All that is known of a frame before its detections get identities. Boxes count pixels from 1, as the files of the benchmarks do.
public struct FrameObservation: Sendable {
  /// Index of the frame, from 0.
  public let frame: Int
  public var detections: [DetectedBox]
  /// An appearance vector of each detection; empty: none was measured.
  public var appearance: [[Double]] = [] {
    didSet { unitVectors = appearance.map(AppearanceGallery.unit) }
  }
  private var unitVectors: [[Double]?] = []
  /// Keypoints of each detection in pixels from 0; empty: none were looked for.
  public var poses: [[ScoredKeypoint]] = []
  /// The motion of all pixels from the frame before to this one; nil: none was measured, or there is no frame before.
  public var flow: FlowField?

  public init(frame: Int, detections: [DetectedBox]) {
    self.frame = frame
    self.detections = detections
  }

  /// The appearance vector of a detection at unit length; nil if there is none, or it has no direction.
  public func vector(of detection: Int) -> [Double]? {
    unitVectors.indices.contains(detection) ? unitVectors[detection] : nil
  }

  /// The keypoints of a detection; nil if none were found.
  public func pose(of detection: Int) -> [ScoredKeypoint]? {
    poses.indices.contains(detection) && !poses[detection].isEmpty ? poses[detection] : nil
  }
}

/// The first step of tracking by detection: the boxes of each frame, by a file or by a network.
public protocol DetectionSource {
  /// Frames that are looked at together, 1 or more.
  var batchSize: Int { get }
  var needsImages: Bool { get }

  /// The boxes of some frames in a row.
  mutating func detections(in frames: [VideoFrame]) throws -> [[DetectedBox]]
}

/// Detections that are known before: those of a file.
public struct ListedDetections: DetectionSource {
  private let frames: [[DetectedBox]]
  public let batchSize = 1
  public let needsImages = false

  public init(_ frames: [[DetectedBox]]) { self.frames = frames }

  public func detections(in frames: [VideoFrame]) -> [[DetectedBox]] {
    frames.map { self.frames.indices.contains($0.index) ? self.frames[$0.index] : [] }
  }
}

/// The second step: what is measured of the detections of a frame, and of its pixels.
public protocol FrameMeasurement {
  /// Whether it looks at pictures; most do.
  var needsImages: Bool { get }

  /// Adds what it measures to the observation of a frame.
  /// - Parameters:
  ///   - frame: with its picture.
  ///   - previous: the frame before with its picture; nil for the first one.
  mutating func measure(_ frame: VideoFrame, after previous: VideoFrame?, into observation: inout FrameObservation) throws
}

extension FrameMeasurement {
  public var needsImages: Bool { true }
}

/// The observations of a sequence, frame by frame: detections and what is measured of them.
///
/// Only the frames of a batch and the one before are kept in memory. An observation depends on its own frame, the one before, and, in the
/// last bits, on the batch that the detector sees: batches are counted from frame 0, wherever the sequence is entered.
public struct ObservationSequence {
  /// Frames of the sequence.
  public let length: Int
  private var source: any DetectionSource
  private var measurements: [any FrameMeasurement]
  private let image: (Int) throws -> Image
  /// Index of the next frame.
  private var position: Int
  private var batch: [(frame: VideoFrame, detections: [DetectedBox])] = []
  private var previous: VideoFrame?

  /// - Parameters:
  ///   - start: index of the first frame that is given.
  ///   - image: the picture of a frame by its index; called only if a part looks at pictures.
  public init(
    _ source: any DetectionSource, _ measurements: [any FrameMeasurement] = [], length: Int, startingAt start: Int = 0,
    image: @escaping (Int) throws -> Image = { stop("ObservationSequence: there is no picture of frame \($0)") }
  ) {
    require(source.batchSize >= 1, "ObservationSequence: batches of \(source.batchSize) frames, expected 1 or more")
    (self.source, self.measurements, self.length, self.image, position) = (source, measurements, length, image, start)
  }

  private var measuresImages: Bool { measurements.contains(where: \.needsImages) }

  /// The observation of the next frame; nil at the end.
  /// - Throws: what reading pictures and the parts throw.
  public mutating func next() throws -> FrameObservation? {
    guard position < length else { return nil }
    if batch.isEmpty { try readBatch() }
    let (frame, detections) = batch.removeFirst()
    var observation = FrameObservation(frame: frame.index, detections: detections)
    if measuresImages, previous == nil, frame.index > 0 {
      previous = VideoFrame(index: frame.index - 1, image: try image(frame.index - 1))
    }
    for index in measurements.indices { try measurements[index].measure(frame, after: previous, into: &observation) }
    if measuresImages { previous = frame }
    position += 1
    return observation
  }

  private mutating func readBatch() throws {
    let first = position / source.batchSize * source.batchSize
    let frames = try (first..<min(first + source.batchSize, length)).map { index in
      VideoFrame(index: index, image: source.needsImages || measuresImages ? try image(index) : nil)
    }
    let detections = try source.detections(in: frames)
    require(detections.count == frames.count, "ObservationSequence: detections of \(detections.count) frames for \(frames.count)")
    batch = zip(frames, detections).filter { $0.0.index >= position }.map { (frame: $0, detections: $1) }
  }
}

/// A tracker that decides frame by frame, and never takes back what it said.
public protocol OnlineTracker {
  /// The next frame; also to be called for frames without detections.
  /// - Returns: the boxes of the tracks that are reported.
  mutating func update(_ observation: FrameObservation) -> [TrackedBox]
}

extension SORT: OnlineTracker {
  public mutating func update(_ observation: FrameObservation) -> [TrackedBox] { update(observation.detections) }
}

extension DeepSORT: OnlineTracker {
  /// Without appearance vectors the cascade matches nothing, and the overlap of boxes alone decides.
  public mutating func update(_ observation: FrameObservation) -> [TrackedBox] {
    let vectors = observation.appearance.isEmpty ? observation.detections.map { _ in [] } : observation.appearance
    return update(observation.detections, appearance: vectors)
  }
}
