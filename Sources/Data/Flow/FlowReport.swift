import Base
import Vision

/// What is wrong with a set of image pairs and flow: everything at once, counted, with a few examples each.
///
/// Every file is read, which takes as long as an epoch of loading.
public struct FlowReport: Sendable, CustomStringConvertible {
  /// What was found. The raw values are for programs.
  public enum Kind: String, FindingKind {
    case unreadablePairs, sharedPairs
    case unknownFlow, equalFrames, longVectors
    case smallImages, partlyKnown
  }

  public let name: String
  public let pairCount: Int
  public let findings: Findings<Kind>
  /// Lengths of known vectors, shares of known pixels, and sizes.
  public let distributions: [Distribution]

  /// Whether there is no error.
  public var isUsable: Bool { findings.isUsable }

  /// - Parameters:
  ///   - sets: the parts of the set, each once, however often training repeats it.
  ///   - name: of the set, for the heading.
  ///   - crop: the size that training takes out of a pair; nil: it takes pairs as they are.
  ///   - maximum: vectors of this length or more, in pixels, do not count in the loss.
  ///   - validation: the other set, of which no pair should be in this one.
  public init(
    of sets: [any FlowDataset], name: String, crop: (height: Int, width: Int)?, maximum: Double, validation: [any FlowDataset] = []
  ) {
    var inspection = FlowInspection(crop: crop, maximum: Float(maximum))
    let others = Set(validation.flatMap { set in (0..<set.count).compactMap { try? set.sample(at: $0).checksum } })
    for (number, set) in sets.enumerated() {
      for index in 0..<set.count { inspection.inspect(set, index, prefix: sets.count > 1 ? "set \(number), " : "", others) }
    }
    self.name = name
    pairCount = sets.reduce(0) { $0 + $1.count }
    findings = inspection.findings
    distributions = inspection.distributions
  }

  public var description: String {
    "\(name): \(pairCount) pairs\n\(findings.description)\n" + distributions.map(\.text).joined(separator: "\n")
  }
}

extension FlowReport.Kind {
  public var severity: FindingSeverity {
    switch self {
    case .unreadablePairs, .sharedPairs: .error
    case .unknownFlow, .equalFrames, .longVectors: .warning
    case .smallImages, .partlyKnown: .note
    }
  }

  public var message: String {
    switch self {
    case .unreadablePairs: "pairs that cannot be read"
    case .sharedPairs: "pairs that are in the validation set, too"
    case .unknownFlow: "pairs without any known vector"
    case .equalFrames: "pairs of two equal frames whose flow is not 0"
    case .longVectors: "pairs with vectors that are too long for the loss"
    case .smallImages: "pairs smaller than the crop"
    case .partlyKnown: "pairs whose flow is known in part"
    }
  }

  public var consequence: String {
    switch self {
    case .unreadablePairs: "training stops there"
    case .sharedPairs: "scores would be too good: take them out of one"
    case .unknownFlow: "they count for nothing"
    case .equalFrames: "is the second frame a copy of the first?"
    case .longVectors: "these vectors do not count: loss.max_flow"
    case .smallImages: "enlarged until the crop fits"
    case .partlyKnown: "the other pixels do not count"
    }
  }
}

/// The search for what `FlowReport` tells.
private struct FlowInspection {
  let crop: (height: Int, width: Int)?
  let maximum: Float
  private(set) var findings = Findings<FlowReport.Kind>()
  private var sizes: [(height: Int, width: Int)] = []
  private var knownShares: [Double] = []
  /// Known vectors by the length, of every seventh pixel.
  private var lengths = [Int](repeating: 0, count: Self.edges.count)

  private static let edges: [Float] = [0, 1, 2, 5, 10, 20, 50, 100]
  private static let stride = 7

  init(crop: (height: Int, width: Int)?, maximum: Float) { (self.crop, self.maximum) = (crop, maximum) }

  mutating func inspect(_ set: any FlowDataset, _ index: Int, prefix: String, _ others: Set<[UInt32]>) {
    let name = prefix + set.name(of: index)
    let sample: FlowSample
    do {
      sample = try set.sample(at: index)
    } catch {
      findings.add(.unreadablePairs, "\(name): \(error)")
      return
    }
    let flow = sample.flow
    sizes.append((flow.height, flow.width))
    let known = flow.isValid.count { $0 }
    knownShares.append(Double(known) / Double(max(1, flow.isValid.count)))
    if known == 0 { findings.add(.unknownFlow, name) } else if known < flow.isValid.count { findings.add(.partlyKnown, name) }
    let longest = flow.largestMagnitude
    if longest >= maximum { findings.add(.longVectors, "\(name): \(Int(min(longest, 1e9))) px") }
    if sample.image1 == sample.image2, longest > 0 { findings.add(.equalFrames, name) }
    if let crop, flow.height < crop.height || flow.width < crop.width {
      findings.add(.smallImages, "\(name): \(flow.width)x\(flow.height), the crop is \(crop.width)x\(crop.height)")
    }
    if !others.isEmpty, others.contains(sample.checksum) { findings.add(.sharedPairs, name) }
    for pixel in Swift.stride(from: 0, to: flow.isValid.count, by: Self.stride) where flow.isValid[pixel] {
      let (u, v) = (flow.vectors[2 * pixel], flow.vectors[2 * pixel + 1])
      let length = (u * u + v * v).squareRoot()
      lengths[Self.edges.lastIndex { $0 <= length } ?? 0] += 1
    }
  }

  var distributions: [Distribution] {
    let total = Double(max(1, lengths.reduce(0, +)))
    let bins = zip(Distribution.labels(of: Self.edges.map { Double($0) }), lengths).map {
      Distribution.Bin($0, 100 * Double($1) / total)
    }
    let ofLengths = Distribution("length of the flow, px", unit: "% of the known vectors", bins, decimals: 1)
    let edges = [0, 0.01, 0.25, 0.5, 0.75, 1]
    let ofShares = Distribution("known share of a pair, %", unit: "pairs", knownShares, edges: edges) { "\(Int(100 * $0))" }
    return [ofLengths] + (knownShares.contains { $0 < 1 } ? [ofShares] : []) + [Distribution(sizes: sizes)]
  }
}

extension FlowSample {
  /// Two samples with equal checksums are taken for one.
  fileprivate var checksum: [UInt32] {
    [CRC32C.of(image1.pixels), CRC32C.of(image2.pixels), flow.vectors.withUnsafeBytes { bytes in
      var checksum = CRC32C()
      checksum.update(bytes)
      return checksum.value
    }]
  }
}
