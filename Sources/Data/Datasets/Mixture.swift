import Base

/// Data sets put one after the other, each as often as its weight says, as if lists were repeated and joined.
///
/// With the sets `a` (2 samples, twice) and `b` (1 sample, three times) the samples are a0 a1 a0 a1 b0 b0 b0. A repetition is a sample of
/// its own: it has its own index, so its own place in the shuffled order and its own random changes.
///
/// - Source: the training mixtures of the published RAFT code.
public struct Mixture<Sample: Sendable, Augmentation: Sendable>: Dataset {
  /// One set with its weight and its random changes.
  public struct Part: Sendable {
    public let dataset: any Dataset<Sample>
    public let repeats: Int
    public let augmentation: Augmentation

    public var count: Int { dataset.count * repeats }

    /// - Precondition: `repeats` is positive.
    public init(_ dataset: some Dataset<Sample>, repeats: Int = 1, augmentation: Augmentation) {
      require(repeats > 0, "Mixture: a set is repeated \(repeats) times, expected at least once")
      self.dataset = dataset
      self.repeats = repeats
      self.augmentation = augmentation
    }
  }

  public let parts: [Part]
  /// The index at which each part begins.
  private let starts: [Int]
  public let count: Int

  /// - Precondition: there is at least one part.
  public init(_ parts: [Part]) {
    require(!parts.isEmpty, "Mixture: no data sets, expected at least one")
    self.parts = parts
    var starts: [Int] = []
    var end = 0
    for part in parts {
      starts.append(end)
      end += part.count
    }
    self.starts = starts
    count = end
  }

  /// The origin of a sample: the number of its part, its index in that set, and the number of its repetition.
  /// - Precondition: `index` is in `0..<count`.
  public func place(of index: Int) -> (part: Int, index: Int, repetition: Int) {
    guard (0..<count).contains(index), let part = starts.lastIndex(where: { $0 <= index }) else {
      stop("Mixture: sample \(index) of \(count)")
    }
    let (repetition, own) = (index - starts[part]).quotientAndRemainder(dividingBy: parts[part].dataset.count)
    return (part, own, repetition)
  }

  public func sample(at index: Int) throws -> Sample {
    let place = place(of: index)
    return try parts[place.part].dataset.sample(at: place.index)
  }

  /// The random changes for a sample.
  public func augmentation(at index: Int) -> Augmentation { parts[place(of: index).part].augmentation }

  /// A sample and its random changes.
  public func augmented(at index: Int) throws -> (sample: Sample, augmentation: Augmentation) {
    let place = place(of: index)
    let part = parts[place.part]
    return (try part.dataset.sample(at: place.index), part.augmentation)
  }

  /// The sample's own name behind the numbers of its part and repetition, where there are several.
  public func name(of index: Int) -> String {
    let place = place(of: index)
    let part = parts[place.part]
    let set = parts.count > 1 ? "set\(place.part)_" : ""
    let copy = part.repeats > 1 ? "copy\(place.repetition)_" : ""
    return set + copy + part.dataset.name(of: place.index)
  }
}

extension Mixture: FlowDataset where Sample == FlowSample {}

public typealias FlowMixture = Mixture<FlowSample, FlowAugmentation>
