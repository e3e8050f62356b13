import Base

/// How well queries find the pictures of their identity in a gallery: cumulative match characteristic (rank-k) and mean average precision,
/// by the rules of Market-1501.
///
/// Gallery pictures of the query's identity from its own camera are junk: they are taken out of the ranking. Where the camera is not known,
/// only the query itself is. Queries without any other picture of their identity in the gallery count for nothing.
/// - Source: Zheng et al., "Scalable person re-identification: a benchmark", 2015, and its evaluation code: the average precision is the
///   area under the precision-recall curve by the trapezoidal rule, the precision before the first place being 1.
public struct RetrievalScore: Sendable, Equatable {
  /// A picture of the gallery or a query.
  public struct Entry: Sendable, Equatable {
    public let identity: String
    /// Empty if it is not known.
    public let camera: String

    public init(identity: String, camera: String = "") { (self.identity, self.camera) = (identity, camera) }
  }

  /// The gallery as one query sees it.
  public struct Ranking: Sendable, Equatable {
    /// Places in the gallery, the nearest first; without junk.
    fileprivate let order: [Int]
    /// The place of the first hit in the ranking, from 0.
    public let firstPlace: Int
    public let averagePrecision: Double

    /// The first `count` places in the gallery.
    public func nearest(_ count: Int) -> [Int] { Array(order.prefix(count)) }
  }

  /// Queries that count.
  public private(set) var queries = 0
  /// Queries without a picture to find.
  public private(set) var unmatched = 0
  /// How many of the queries found their identity first at each place; the last element counts those beyond.
  private var firstPlaces: [Int]
  private var precisionSum = 0.0

  /// - Parameter ranks: the largest k of interest.
  public init(ranks: Int = 50) { firstPlaces = Array(repeating: 0, count: ranks + 1) }

  /// Judges one query.
  /// - Parameters:
  ///   - distances: to the pictures of the gallery; of equal ones the earlier picture comes first.
  ///   - place: that of the query in the gallery, where it is one of its pictures; nil: it is none.
  /// - Returns: nil if there is nothing to find.
  @discardableResult
  public mutating func add(
    _ query: Entry, _ distances: [Float], gallery: [Entry], excluding place: Int? = nil
  ) -> Ranking? {
    require(distances.count == gallery.count, "RetrievalScore: \(distances.count) distances for a gallery of \(gallery.count)")
    let counted = gallery.indices.filter { index in
      let other = gallery[index]
      return index != place && !(other.identity == query.identity && !query.camera.isEmpty && other.camera == query.camera)
    }
    let order = counted.sorted { (distances[$0], $0) < (distances[$1], $1) }
    let hits = order.indices.filter { gallery[order[$0]].identity == query.identity }
    guard let first = hits.first else {
      unmatched += 1
      return nil
    }
    var average = 0.0
    for (found, position) in hits.enumerated() {
      let before = position == 0 ? 1 : Double(found) / Double(position)
      average += (before + Double(found + 1) / Double(position + 1)) / 2 / Double(hits.count)
    }
    queries += 1
    firstPlaces[min(first, firstPlaces.count - 1)] += 1
    precisionSum += average
    return Ranking(order: order, firstPlace: first, averagePrecision: average)
  }

  /// The share of the queries that found their identity among the first `k`; NaN without queries.
  public func rank(_ k: Int) -> Double {
    require((1..<firstPlaces.count).contains(k), "RetrievalScore: rank \(k) of \(firstPlaces.count - 1)")
    return Double(firstPlaces.prefix(k).reduce(0, +)) / Double(queries)
  }

  /// NaN without queries.
  public var meanAveragePrecision: Double { precisionSum / Double(queries) }
}
