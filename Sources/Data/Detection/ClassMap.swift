/// The class index that a network learns for each category id of a data set, and back.
public struct ClassMap: Sendable, Equatable {
  /// The category id of each class; empty: the ids themselves are the classes.
  public let ids: [Int]
  /// The number of classes.
  public let count: Int
  private let labels: [Int: Int]

  /// - Parameters:
  ///   - ids: one for each class; none: ids are class indices, those below `classes`.
  public init(ids: [Int], classes: Int) {
    self.ids = ids
    count = ids.isEmpty ? classes : ids.count
    labels = Dictionary(ids.enumerated().map { ($1, $0) }) { first, _ in first }
  }

  /// The class of a category; nil if the network has none for it.
  public func label(of category: Int) -> Int? {
    ids.isEmpty ? ((0..<count).contains(category) ? category : nil) : labels[category]
  }

  /// The category id of a class.
  public func category(of label: Int) -> Int { ids.indices.contains(label) ? ids[label] : label }
}
