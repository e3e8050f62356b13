import Base
import Vision

/// The meaning of the numbers in label files: which class each of them is, and which count for nothing.
///
/// ```yaml
/// labels:
///   classes: [ground, sky, person]     # names; the network has as many classes
///   ignore: [255]                      # numbers that count for nothing
///   map: [{from: 7, to: 0}, {from: 8, to: 1}, {from: 24, to: 2}]
///   others: ignore                     # what the map does not name
/// ```
/// A number is ignored if it stands in `ignore`; else it is what `map` says. Without a map it is the class itself, or with `reduceZero` the
/// class one below (and 0 is ignored). What is no class then is an error, or ignored.
public struct LabelRules: Codable, Sendable, Equatable, ValidatedConfig, ConfigPreset {
  /// Rules of published data sets.
  public enum Preset: String, ConfigChoice {
    /// Only what is written.
    case custom
    /// Cityscapes' 19 classes from `*_labelIds.png`; all else is ignored.
    case cityscapes
    /// Masks of 0 and 255: background and foreground.
    case binaryMask = "binary_mask"
  }

  /// What becomes of numbers that are no class.
  public enum Others: String, ConfigChoice {
    case error, ignore
  }

  /// The class of a number.
  public struct Mapping: ConfigElement, Equatable {
    /// The number in the file.
    public var from = 0
    /// The class; 255: ignored.
    public var to = 0

    public init() {}

    public init(from: Int, to: Int) { (self.from, self.to) = (from, to) }
  }

  public var preset = Preset.custom
  /// Names of the classes, in the order of their numbers. None: the classes have numbers only.
  public var classes: [String] = []
  /// Numbers of the files that count for nothing.
  public var ignore: [Int] = [255]
  /// Classes of numbers. Several numbers may be one class.
  public var map: [Mapping] = []
  /// Whether 0 is ignored, and 1, 2, … are the classes 0, 1, … (ADE20K).
  public var reduceZero = false
  public var others = Others.error

  public init(_ preset: Preset = .custom) {
    self.preset = preset
    switch preset {
    case .custom: break
    case .cityscapes:
      classes = Cityscapes.classes.map(\.name)
      map = Cityscapes.classes.enumerated().map { Mapping(from: $0.element.labelID, to: $0.offset) }
      others = .ignore
    case .binaryMask:
      classes = ["background", "foreground"]
      ignore = []
      map = [Mapping(from: 0, to: 0), Mapping(from: 255, to: 1)]
    }
  }

  public static func defaults(for section: ConfigSection) -> LabelRules {
    LabelRules(section.text("preset").flatMap(Preset.named) ?? .custom)
  }

  /// The largest number of classes; 255 means ignored.
  public static let mostClasses = Int(LabelMap.ignored)

  public func problems() -> [ConfigProblem] {
    let numbers = 0...65_535
    var problems: [ConfigProblem] = []
    problems.require(classes.count <= Self.mostClasses, "classes", classes.count, "at most \(Self.mostClasses) names")
    problems.require(classes.allSatisfy { !$0.isEmpty } && Set(classes).count == classes.count, "classes", classes.prefix(8),
                     "names, each once")
    problems.require(ignore.allSatisfy(numbers.contains), "ignore", ignore.prefix(8), "numbers of 0 to 65535")
    problems.require(map.isEmpty || !reduceZero, "reduce_zero", reduceZero, "false beside a map")
    for (index, entry) in map.enumerated() {
      problems.require(numbers.contains(entry.from), "map.\(index).from", entry.from, "0 to 65535")
      let isNew = !map[..<index].contains { $0.from == entry.from }
      problems.require(isNew, "map.\(index).from", entry.from, "a number that no entry before has")
      let most = classes.isEmpty ? Self.mostClasses : classes.count
      problems.require((0..<most).contains(entry.to) || entry.to == Self.mostClasses, "map.\(index).to", entry.to,
                       "a class, 0 to \(most - 1), or 255: ignored")
    }
    return problems
  }

  /// The class of a number: nil if it is none, `LabelMap.ignored` if it counts for nothing.
  /// - Parameter count: of the classes.
  public func classIndex(of value: Int, among count: Int) -> Int? {
    let ignored = Int(LabelMap.ignored)
    if ignore.contains(value) { return ignored }
    let label: Int? = if !map.isEmpty {
      map.first { $0.from == value }?.to
    } else if reduceZero {
      value == 0 ? ignored : value - 1
    } else {
      value
    }
    if let label, label < count || label == ignored && (reduceZero || !map.isEmpty) { return label }
    return others == .ignore ? ignored : nil
  }
}

extension LabelRules {
  /// The number that stands for a class in files: the first one that the map names for it.
  public func number(of label: Int) -> Int {
    map.first { $0.to == label }?.from ?? (reduceZero ? label + 1 : label)
  }
}

/// The rules as a table for all numbers that a file can hold.
public struct LabelTable: Sendable {
  public let rules: LabelRules
  /// Classes of the network.
  public let classes: Int
  /// The class of each number; `unknown` for what is none.
  private let table: [UInt16]
  private static let unknown = UInt16.max

  public init(_ rules: LabelRules, classes: Int) {
    self.rules = rules
    self.classes = classes
    // One by one, a map of many entries would be searched for each of 65,536 numbers.
    var plain = rules
    plain.map = []
    let isMapped = !rules.map.isEmpty
    let standard: UInt16 = rules.others == .ignore ? LabelMap.ignored : Self.unknown
    var table = (0...65_535).map { value -> UInt16 in
      isMapped ? standard : plain.classIndex(of: value, among: classes).map { UInt16($0) } ?? Self.unknown
    }
    for entry in rules.map { table[entry.from] = rules.classIndex(of: entry.from, among: classes).map { UInt16($0) } ?? Self.unknown }
    for value in rules.ignore { table[value] = LabelMap.ignored }
    self.table = table
  }

  /// The classes of a label file's numbers.
  /// - Throws: `.badData` naming the numbers that are no class, and how often they occur.
  public func classes(of labels: LabelMap, at path: String) throws -> LabelMap {
    var result = labels
    var isKnown = true
    for (i, value) in labels.values.enumerated() {
      let label = table[Int(value)]
      isKnown = isKnown && label != Self.unknown
      result.values[i] = label
    }
    guard isKnown else { throw unknown(labels.counts(), at: path) }
    return result
  }

  /// Whether a number of a file is a class or ignored.
  public func knows(_ value: Int) -> Bool { table[value] != Self.unknown }

  /// The class of a number; nil if it is none or ignored.
  public func classIndex(of value: Int) -> Int? { table[value] < UInt16(classes) ? Int(table[value]) : nil }

  /// The numbers that are classes or ignored, in words.
  public var allowed: String {
    let ignored = rules.ignore.sorted().map(String.init)
    let numbers = if rules.map.isEmpty {
      rules.reduceZero ? "1 to \(classes), 0 (ignored)" : "0 to \(classes - 1)"
    } else {
      someOf(rules.map.map { "\($0.from)" }, atMost: 40)
    }
    return numbers + (ignored.isEmpty ? "" : ", or \(someOf(ignored, atMost: 8)) (ignored)")
  }

  private func unknown(_ counts: [(value: Int, count: Int)], at path: String) -> Failure {
    if LabelTable.isMask(counts.map(\.value)) {
      return Failure(.badData, at: path, "this is a mask: only 0 and 255 occur, and 255 is no class; expected \(allowed)",
                     remedy: LabelTable.maskRemedy)
    }
    let bad = counts.filter { !knows($0.value) }
    let list = someOf(bad.map { "\($0.value) (\($0.count) pixel\($0.count == 1 ? "" : "s"))" }, atMost: 8)
    return Failure(.badData, at: path, "label values that are no class: \(list); expected \(allowed)",
                   remedy: "Name more labels.classes, map these values with labels.map, or ignore them: labels.ignore, labels.others.")
  }

  /// Whether the numbers are those of a mask: 0 and 255, or 255 alone.
  public static func isMask(_ values: some Collection<Int>) -> Bool { Set(values) == [0, 255] }

  static let maskRemedy = "For background and foreground set labels.preset to binary_mask, or write 0 and 1 into the files."
}
