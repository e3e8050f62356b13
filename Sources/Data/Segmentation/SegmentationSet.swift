import Base
import Vision

/// A picture with the class of each of its pixels.
public struct SegmentationSample: Sendable {
  /// RGB.
  public var image: Image
  /// Classes; `LabelMap.ignored` where none counts. Of the size of the image.
  public var labels: LabelMap

  public init(image: Image, labels: LabelMap) {
    self.image = image
    self.labels = labels
  }
}

/// Pictures with label files as a data set.
public struct SegmentationSet: Dataset {
  public let files: SegmentationFiles
  public let table: LabelTable
  /// A pixel takes three bytes of the picture and two of the label.
  private let decoded = SampleCache<SegmentationSample>(byteLimit: 512 << 20) { $0.labels.values.count * 5 }

  public init(_ files: SegmentationFiles, _ table: LabelTable) {
    self.files = files
    self.table = table
  }

  public var count: Int { files.pairs.count }

  public func name(of index: Int) -> String { files.pairs[index].name }

  /// Decoded samples stay in memory as long as they fit in half a GiB.
  /// - Throws: `.badData` if a file is corrupt, labels and picture have different sizes, or a number is no class.
  public func sample(at index: Int) throws -> SegmentationSample {
    try decoded.sample(index) {
      let pair = files.pairs[index]
      let image = try Image(contentsOf: pair.image).rgb()
      let labels = try LabelMap(contentsOf: pair.label)
      guard labels.height == image.height, labels.width == image.width else {
        throw Failure(
          .badData, at: pair.label,
          "the labels are \(labels.width)x\(labels.height), but their picture \(pair.image) is \(image.width)x\(image.height)",
          remedy: "Scale labels by the nearest pixel, or take those that belong to the picture.")
      }
      return SegmentationSample(image: image, labels: try table.classes(of: labels, at: pair.label))
    }
  }

  /// The classes that no label file has, where the set is small enough to be looked through before training; nil: it is larger.
  /// - Parameter pixels: of all label files together, at most.
  /// - Throws: what reading throws; `.badData` for numbers that are no class.
  public func absentClasses(within pixels: Int = 1 << 25) throws -> [Int]? {
    var rest = pixels
    var absent = Set(0..<table.classes)
    for pair in files.pairs {
      let labels = try LabelMap(contentsOf: pair.label)
      rest -= labels.values.count
      guard rest >= 0 else { return nil }
      for (value, _) in try table.classes(of: labels, at: pair.label).counts() { absent.remove(value) }
    }
    return absent.sorted()
  }

  /// Looks into a few label files, to tell what would be learned wrong without any error.
  ///
  /// Where 255 is ignored, masks of 0 and 255 would leave nothing but background.
  /// - Throws: `.badData` if 0 and 255 are all that occurs, and 255 is ignored; what reading throws.
  public func requireNoMasks(among samples: Int = 16) throws {
    guard table.rules.ignore.contains(255), table.classes > 1 else { return }
    let chosen = Set((0..<min(samples, count)).map { $0 * count / min(samples, count) }).sorted()
    var values: Set<Int> = []
    for index in chosen {
      values.formUnion(try LabelMap(contentsOf: files.pairs[index].label).counts().map(\.value))
      guard values.isSubset(of: [0, 255]) else { return }
    }
    guard LabelTable.isMask(values) else { return }
    throw Failure(
      .badData, at: files.pairs[0].label,
      "these are masks: in \(chosen.count) label files only 0 and 255 occur, and 255 is ignored, so nothing but class 0 would be learned",
      remedy: LabelTable.maskRemedy)
  }
}
