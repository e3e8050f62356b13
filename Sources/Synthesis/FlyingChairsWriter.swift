import Base
import Data
import Vision

extension FlowSynthesis {
  /// Writes samples in the layout of FlyingChairs: `data/NNNNN_img1.ppm`, `_img2.ppm`, `_flow.flo`, numbered from 00001, and the split
  /// list `FlyingChairs_train_val.txt` (1 training, 2 validation).
  ///
  /// Sample `index` becomes pair `index + 1`, whatever the number of threads, so an interrupted call is simply repeated: what was there
  /// is replaced by the same bytes. Every file appears complete or not at all, the split list last.
  /// - Parameters:
  ///   - count: pairs, 1...99,999.
  ///   - seed: of the data set.
  ///   - validationShare: share of the pairs, 0...1, marked as validation; they are spread evenly.
  ///   - root: the folder to fill; made if missing.
  ///   - threads: at work at the same time; 0 takes one per processor.
  ///   - progress: called after each pair with the number of those done, from any thread, one call at a time.
  /// - Throws: `.usage` for settings out of range; `.cannotCreate` if a folder cannot be made or holds other pairs; the failures of
  ///   `AtomicFile.write`.
  public func writeFlyingChairs(
    count: Int, seed: UInt64, validationShare: Double = 0.1, to root: String, threads: Int = 0,
    progress: @escaping @Sendable (_ done: Int) -> Void = { _ in }
  ) throws {
    try validate()
    guard (1...99_999).contains(count) else { throw Failure(.usage, at: "count", "found \(count), expected 1...99999 pairs") }
    guard (0...1).contains(validationShare) else {
      throw Failure(.usage, at: "validationShare", "found \(validationShare), expected 0...1")
    }
    let folder = Path.join(root, "data")
    let scenes = (0..<count).map { index in Self.suffixes.map { (index + 1).padded(to: 5) + $0 } }
    try writeScenes(scenes, of: "pairs", to: folder, threads: threads, progress: progress) { index in
      let (image1, image2, flow) = sample(index: index, seed: seed)
      let paths = scenes[index].map { Path.join(folder, $0) }
      try image1.write(to: paths[0])
      try image2.write(to: paths[1])
      try flow.write(to: paths[2])
    }
    let marks = Self.validationMarks(count: count, share: validationShare).map { $0 ? "2\n" : "1\n" }
    try AtomicFile.write(marks.joined(), to: Path.join(root, FlyingChairs.splitFile))
  }

  /// The files of a pair: both images and the flow.
  private static let suffixes = ["_img1.ppm", "_img2.ppm", "_flow.flo"]

  /// A mark for each sample, true for validation: `count · share` of them, rounded, at equal distances.
  static func validationMarks(count: Int, share: Double) -> [Bool] {
    let marked = Int((Double(count) * share).rounded())
    return (0..<count).map { ($0 + 1) * marked / count > $0 * marked / count }
  }
}

/// Synthetic pairs made on demand, without a file: the same samples as `FlowSynthesis.writeFlyingChairs` writes.
public struct SyntheticFlow: FlowDataset {
  public let synthesis: FlowSynthesis
  public let seed: UInt64
  public let count: Int
  private let first: Int

  /// Samples `first ..< first + count` of the seed; ranges that do not overlap make disjoint sets.
  public init(_ synthesis: FlowSynthesis, count: Int, seed: UInt64, first: Int = 0) {
    self.synthesis = synthesis
    self.count = count
    self.seed = seed
    self.first = first
  }

  public func sample(at index: Int) throws -> FlowSample {
    let (image1, image2, flow) = synthesis.sample(index: first + index, seed: seed)
    return FlowSample(image1: image1, image2: image2, flow: flow)
  }

  public func name(of index: Int) -> String { "synthetic-\(seed)-\(first + index)" }
}
