import Vision

/// The last places of every track, for the lines behind its boxes.
public struct TrackTrails: Sendable, Codable, Equatable {
  /// Frames that a line goes back.
  public let length: Int
  private var points: [Int: [SIMD2<Double>]] = [:]
  /// The last frame of each track.
  private var frames: [Int: Int] = [:]

  /// - Parameter length: 0: there are no lines.
  public init(length: Int) { self.length = length }

  /// Takes in the boxes of a frame, and forgets tracks that were not seen for as long as a line is.
  public mutating func add(_ boxes: [TrackedBox], frame: Int) {
    guard length > 0 else { return }
    for box in boxes {
      // The place on the ground tells the way better than the middle, which moves with the arms.
      let place = SIMD2(box.box.x + box.box.width / 2, box.box.y1)
      points[box.id] = (points[box.id, default: []] + [place]).suffix(length)
      frames[box.id] = frame
    }
    for (id, last) in frames where frame - last > length {
      frames[id] = nil
      points[id] = nil
    }
  }

  /// The way of a track, the newest place last.
  public func points(of id: Int) -> [SIMD2<Double>] { points[id] ?? [] }
}

extension AnnotatedPicture {
  /// A frame with its tracks: boxes in the colours of their identities with their numbers, dashed where they are predictions, and the ways
  /// that they took.
  ///
  /// Boxes count pixels from 1, as the files of the benchmarks do.
  public init(_ image: Image, tracks: [TrackedBox], trails: TrackTrails) {
    self.init(image, boxes: tracks.map { track in
      let box = Rectangle(track.box.countedFromZero)
      return LabeledBox(box, label: "\(track.id)", color: Self.color(track), isDashed: track.detection == nil)
    })
    paths = tracks.map { track in ColoredPath(trails.points(of: track.id).map { Point($0.x - 1, $0.y - 1) }, color: Self.color(track)) }
  }

  private static func color(_ track: TrackedBox) -> Color { Palette.color(max(0, track.id - 1)) }
}
