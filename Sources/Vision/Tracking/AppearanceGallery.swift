import Base

/// Appearance vectors of tracks: the latest few of each.
///
/// The distance of a detection from a track is the smallest cosine distance from any of them, `min 1 - cos`, 0...2.
/// - Source: Wojke et al. 2017, section 2.2, and the authors' `nn_matching.py`.
public struct AppearanceGallery: Sendable, Codable, Equatable {
  /// Vectors of a track, at most; nil: all, with memory and time that grow without bound.
  public let budget: Int?
  /// Vectors of unit length, by track.
  private var vectors: [Int: [[Double]]] = [:]

  /// - Precondition: a budget is 1 or more.
  public init(budget: Int? = 100) {
    require(budget.map { $0 > 0 } ?? true, "AppearanceGallery: the budget is \(budget ?? 0), expected 1 or more")
    self.budget = budget
  }

  /// Tracks that have vectors.
  public var tracks: Set<Int> { Set(vectors.keys) }

  /// Adds vectors to a track, the newest last. Those that are zero or not finite say nothing and are left out.
  public mutating func add(_ new: [[Double]], to track: Int) {
    let all = vectors[track, default: []] + new.compactMap(Self.unit)
    vectors[track] = Array(all.suffix(budget ?? all.count))
  }

  /// Forgets all other tracks.
  public mutating func keep(_ tracks: Set<Int>) { vectors = vectors.filter { tracks.contains($0.key) } }

  /// The distance of a vector from a track; +∞ if one of them says nothing.
  public func distance(of vector: [Double], from track: Int) -> Double {
    guard let unit = Self.unit(vector) else { return .infinity }
    return vectors[track, default: []].reduce(.infinity) { nearest, other in
      require(other.count == unit.count, "AppearanceGallery: vectors of \(unit.count) and of \(other.count) numbers")
      var product = 0.0
      for i in unit.indices { product += unit[i] * other[i] }
      return min(nearest, 1 - product)
    }
  }

  /// The vector at unit length; nil if it has no direction.
  static func unit(_ vector: [Double]) -> [Double]? {
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length > 0 && length.isFinite ? vector.map { $0 / length } : nil
  }
}
