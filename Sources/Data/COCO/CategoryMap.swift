import Base

/// The way from the ids of a file's categories, which may have gaps, to the classes 0, 1, 2, ... of a network, and back.
public struct CategoryMap: Sendable, Equatable, Codable {
  /// The id of each class; nil for a class that no category of the file has.
  public let ids: [Int?]
  /// The name of each class; empty for one that no category has.
  public let names: [String]

  /// - Parameters:
  ///   - ids: one for each class, each once.
  ///   - names: one for each class, or none.
  public init(ids: [Int], names: [String] = []) {
    self.ids = ids
    self.names = names
  }

  /// The sorted ids become the classes from 0 on.
  public init(_ categories: [COCOCategory]) {
    let sorted = Dictionary(categories.map { ($0.id, $0) }) { first, _ in first }.values.sorted { $0.id < $1.id }
    ids = sorted.map(\.id)
    names = sorted.map(\.name)
  }

  /// The ids are the classes, as in published detectors (COCO: 91 classes, of which 80 occur).
  /// - Throws: `.usage` if an id is not in 0 ..< `classCount`.
  public init(_ categories: [COCOCategory], classCount: Int) throws {
    if let outside = categories.first(where: { !(0..<classCount).contains($0.id) }) {
      throw Failure(.usage, at: "", "the category '\(outside.name)' has the id \(outside.id), expected 0 to \(classCount - 1)",
                    remedy: "Set num_classes to the highest id and one more, or to 0: the sorted ids then become the classes.")
    }
    var ids = [Int?](repeating: nil, count: classCount)
    var names = [String](repeating: "", count: classCount)
    for category in categories {
      ids[category.id] = category.id
      names[category.id] = category.name
    }
    self.ids = ids
    self.names = names
  }

  public var classCount: Int { ids.count }

  /// The ids that are classes, in words.
  var listedIDs: String { ids == Array(0..<classCount) ? "0 to \(classCount - 1)" : "\(ids.compactMap { $0 }.prefix(12))" }

  /// The class of a category; nil if the file does not know the id.
  public func classIndex(of id: Int) -> Int? { ids.firstIndex(of: id) }

  /// The id of a class; nil if no category has it.
  public func id(of classIndex: Int) -> Int? { ids.indices.contains(classIndex) ? ids[classIndex] : nil }

  /// The name of a class, or else its id, or its number if it has none.
  public func name(of classIndex: Int) -> String {
    names.indices.contains(classIndex) && !names[classIndex].isEmpty ? names[classIndex] : "\(id(of: classIndex) ?? classIndex)"
  }
}
