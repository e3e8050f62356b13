import Base

/// How often the values of a data set fall into which bin, for a table or a chart.
public struct Distribution: Sendable, Equatable {
  public struct Bin: Sendable, Equatable {
    public let label: String
    public let value: Double

    public init(_ label: String, _ value: Double) { (self.label, self.value) = (label, value) }
  }

  /// Such as `size of the objects`.
  public let title: String
  /// What the bins count, such as `objects` or `% of the pixels`.
  public let unit: String
  public let bins: [Bin]
  /// Digits behind the point.
  public let decimals: Int

  public init(_ title: String, unit: String, _ bins: [Bin], decimals: Int = 0) {
    (self.title, self.unit, self.bins, self.decimals) = (title, unit, bins, decimals)
  }

  /// The number of values in each of the bins between edges; the lower edge belongs to a bin, and the last one has no end.
  /// - Parameters:
  ///   - edges: in ascending order; values below the first are in the first bin.
  ///   - words: an edge as a text.
  public init(_ title: String, unit: String, _ values: [Double], edges: [Double], words: (Double) -> String = { "\(Int($0))" }) {
    let places = values.map { value in max(0, (edges.lastIndex { $0 <= value } ?? 0)) }
    let bins = Self.labels(of: edges, words).enumerated().map { index, label in Bin(label, Double(places.count { $0 == index })) }
    self.init(title, unit: unit, bins)
  }

  /// The labels of the bins between edges, the last one without an end.
  static func labels(of edges: [Double], _ words: (Double) -> String = { "\(Int($0))" }) -> [String] {
    let names = edges.map(words)
    return names.indices.map { $0 + 1 < names.count ? "\(names[$0]) to \(names[$0 + 1])" : "\(names[$0]) and more" }
  }

  /// The number of each whole value up to `most`, and of those above together.
  public init(_ title: String, unit: String, counting values: [Int], most: Int) {
    let top = min(most, values.max() ?? 0)
    let bins = (0...max(0, top)).map { value in
      Bin(value == most ? "\(value) and more" : "\(value)", Double(values.count { value == most ? $0 >= most : $0 == value }))
    }
    self.init(title, unit: unit, bins)
  }

  /// The commonest sizes of pictures, width x height, and the number of those of other sizes.
  public init(sizes: [(height: Int, width: Int)], limit: Int = 8) {
    var counts: [String: Int] = [:]
    for size in sizes { counts["\(size.width)x\(size.height)", default: 0] += 1 }
    let ranked = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let rest = ranked.dropFirst(limit).reduce(0) { $0 + $1.value }
    let bins = ranked.prefix(limit).map { Bin($0.key, Double($0.value)) } + (rest > 0 ? [Bin("other sizes", Double(rest))] : [])
    self.init("sizes of the pictures", unit: "pictures", bins)
  }

  /// The number as a text.
  public func text(of bin: Bin) -> String {
    let factor = [1.0, 10, 100, 1000][min(max(decimals, 0), 3)]
    let rounded = (bin.value * factor).rounded() / factor
    return decimals > 0 ? "\(rounded)" : "\(Int(rounded))"
  }

  /// A table.
  public var text: String {
    var table = TextTable([title, unit], rightAligned: [1])
    for bin in bins { table.add([bin.label, text(of: bin)]) }
    return table.text
  }
}

extension COCOInstances {
  /// Sizes of the images, objects of an image and sizes of the objects, crowds left out.
  public var distributions: [Distribution] {
    let objects = objects()
    let counts = images.map { objects[$0.id]?.count ?? 0 }
    let sides = annotations.filter { !$0.isCrowd && $0.box.isFinite && $0.box.area > 0 }.map { $0.box.area.squareRoot() }
    return [
      Distribution(sizes: images.map { ($0.height, $0.width) }),
      Distribution("objects of a picture", unit: "pictures", counting: counts, most: 12),
      Distribution("size of the objects: root of the box's area, px", unit: "objects", sides, edges: [0, 16, 32, 64, 96, 160, 320]),
    ]
  }

  /// Objects of each category, crowds left out.
  public var categoryDistribution: Distribution {
    var counts: [Int: Int] = [:]
    for annotation in annotations where !annotation.isCrowd { counts[annotation.categoryID, default: 0] += 1 }
    return Distribution("objects of the categories", unit: "objects", categories.map { .init($0.name, Double(counts[$0.id] ?? 0)) })
  }
}
