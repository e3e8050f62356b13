import Base

/// The motion of one box, by one of the filters.
public enum BoxMotion: Sendable, Codable, Equatable {
  case sort(SORTMotion)
  case deepSORT(DeepSORTMotion)

  /// The filters by their names in a config.
  public enum Kind: String, ConfigChoice {
    /// Centre and area at constant velocity, constant ratio.
    case sort
    /// Centre, ratio and height at constant velocity, noise in proportion to the height.
    case deepsort
  }

  /// - Precondition: the box has an area.
  public init(_ kind: Kind, _ box: BoundingBox) {
    switch kind {
    case .sort: self = .sort(SORTMotion(box))
    case .deepsort: self = .deepSORT(DeepSORTMotion(box))
    }
  }

  /// The box one frame later; nil if it is none: not finite, or without area.
  public mutating func predict() -> BoundingBox? {
    switch self {
    case .sort(var motion):
      defer { self = .sort(motion) }
      return motion.predict()
    case .deepSORT(var motion):
      defer { self = .deepSORT(motion) }
      return motion.predict()
    }
  }

  /// Corrects the state by a detection. A box that is not finite changes nothing.
  public mutating func update(_ box: BoundingBox) {
    switch self {
    case .sort(var motion):
      motion.update(box)
      self = .sort(motion)
    case .deepSORT(var motion):
      motion.update(box)
      self = .deepSORT(motion)
    }
  }

  /// The box of the state; nil if it is none.
  public var box: BoundingBox? {
    switch self {
    case .sort(let motion): motion.box
    case .deepSORT(let motion): motion.box
    }
  }

  /// Squared Mahalanobis distance of a detection from the predicted box, in 4 dimensions, or in 2 (its centre).
  public func gatingDistance(to box: BoundingBox, isPositionOnly: Bool = false) -> Double {
    switch self {
    case .sort(let motion): motion.gatingDistance(to: box, isPositionOnly: isPositionOnly)
    case .deepSORT(let motion): motion.gatingDistance(to: box, isPositionOnly: isPositionOnly)
    }
  }
}

/// The state of one identity between two frames: what affinities compare with detections.
public struct Track: Sendable, Codable, Equatable {
  /// The box of one frame in the life of a track.
  public struct Step: Sendable, Codable, Equatable {
    /// The detection, or where there was none the predicted box.
    public let box: BoundingBox
    public let isObserved: Bool

    public init(box: BoundingBox, isObserved: Bool) {
      self.box = box
      self.isObserved = isObserved
    }
  }

  public private(set) var id: Int
  public private(set) var motion: BoxMotion
  /// The predicted box of this frame.
  public private(set) var predicted: BoundingBox
  /// The last detection, moved on by optical flow through all frames since; without flow it stays where it was.
  public private(set) var carried: BoundingBox
  /// The latest frames, the newest last; one for each frame, at most `historyLength`.
  public private(set) var history: [Step]
  /// Appearance vectors of unit length, the newest last.
  public private(set) var vectors: [[Double]] = []
  /// Keypoints of the last detection that had some, in pixels from 0.
  public private(set) var pose: [ScoredKeypoint] = []
  /// Of the last detection.
  public private(set) var score: Double
  public private(set) var category: Int?
  /// Index of the detection of this frame; nil if there is none.
  public private(set) var detection: Int?
  /// Detections so far.
  public private(set) var hits = 1
  /// Frames since the last detection.
  public private(set) var timeSinceUpdate = 0
  public internal(set) var isConfirmed = false

  /// Frames that a track remembers.
  public static let historyLength = 32

  /// A track that begins with a detection; nil if its motion has no finite box.
  /// - Precondition: the detection is usable.
  public init?(id: Int, _ kind: BoxMotion.Kind, _ observation: FrameObservation, _ detection: Int) {
    let found = observation.detections[detection]
    motion = BoxMotion(kind, found.box)
    guard motion.box != nil else { return nil }
    self.id = id
    (predicted, carried) = (found.box, found.box)
    history = [Step(box: found.box, isObserved: true)]
    (score, category, self.detection) = (found.score, found.category, detection)
    vectors = observation.vector(of: detection).map { [$0] } ?? []
    pose = observation.pose(of: detection) ?? []
  }

  /// Moves on by one frame.
  /// - Parameter flow: from the frame before to this one.
  /// - Returns: false if the predicted box is none any more: then the track is to end.
  mutating func advance(by flow: FlowField?) -> Bool {
    guard let box = motion.predict() else { return false }
    predicted = box
    timeSinceUpdate += 1
    detection = nil
    if let flow { carried = carried.moved(by: flow) }
    return true
  }

  /// Takes in the detection of this frame.
  /// - Parameter budget: appearance vectors that are kept, at most.
  mutating func match(_ index: Int, of observation: FrameObservation, budget: Int) {
    let found = observation.detections[index]
    motion.update(found.box)
    carried = found.box
    (score, category, detection) = (found.score, found.category, index)
    hits += 1
    timeSinceUpdate = 0
    if let vector = observation.vector(of: index) { vectors = (vectors + [vector]).suffix(budget) }
    if let found = observation.pose(of: index) { pose = found }
    remember(Step(box: found.box, isObserved: true))
  }

  /// This track with a detection, as another one.
  func continued(as id: Int, _ index: Int, of observation: FrameObservation, budget: Int) -> Track {
    var track = self
    track.id = id
    track.match(index, of: observation, budget: budget)
    return track
  }

  /// Ends the frame without a detection.
  mutating func miss() { remember(Step(box: predicted, isObserved: false)) }

  private mutating func remember(_ step: Step) {
    if history.count == Self.historyLength { history.removeFirst() }
    history.append(step)
  }

  /// The smallest cosine distance of a vector of unit length from those of the track; nil if it has none.
  public func cosineDistance(to vector: [Double]) -> Double? {
    guard !vectors.isEmpty else { return nil }
    return vectors.reduce(.infinity) { nearest, other in
      require(other.count == vector.count, "Track: vectors of \(vector.count) and of \(other.count) numbers")
      var product = 0.0
      for i in vector.indices { product += vector[i] * other[i] }
      return min(nearest, 1 - product)
    }
  }
}

extension BoundingBox {
  /// The box moved by the median of the flow in its inner half; unmoved where no flow is known.
  ///
  /// - Parameter flow: in pixels; the box counts them from 1.
  public func moved(by flow: FlowField) -> BoundingBox {
    guard isFinite else { return self }
    func range(_ start: Double, _ length: Double, _ limit: Int) -> Range<Int> {
      let low = Int((start - 1 + length / 4).clamped(to: 0...Double(limit)).rounded(.down))
      let high = Int((start - 1 + length * 3 / 4).clamped(to: 0...Double(limit)).rounded(.up))
      return low..<max(low, high)
    }
    let rows = range(y, height, flow.height)
    let columns = range(x, width, flow.width)
    // About a thousand vectors tell the median well enough.
    let step = max(1, Int((Double(rows.count * columns.count) / 1024).squareRoot()))
    var us: [Float] = []
    var vs: [Float] = []
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: step) {
      for column in stride(from: columns.lowerBound, to: columns.upperBound, by: step) where flow.isValid[row * flow.width + column] {
        let (u, v) = flow[row, column]
        guard u.isFinite, v.isFinite else { continue }
        us.append(u)
        vs.append(v)
      }
    }
    guard !us.isEmpty else { return self }
    us.sort()
    vs.sort()
    let moved = BoundingBox(x: x + Double(us[us.count / 2]), y: y + Double(vs[vs.count / 2]), width: width, height: height)
    return moved.isFinite ? moved : self
  }
}
