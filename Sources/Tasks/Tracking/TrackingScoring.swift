import Base
import Data
import Training
import Vision

/// `apus track evaluate`: the metrics of trackers' results, by sequence and combined; no network of ours takes part.
public struct TrackingScoring {
  /// A sequence, a folder of sequences, or one of plain files `NAME.txt`; also one such file.
  public var truth: String
  /// Folders of files `NAME.txt`, one for each tracker; of a single sequence also the files themselves.
  public var results: [String]
  public var rule: TrackingRule
  /// nil: by the names of the sequences, else by the columns of their ground truth.
  public var benchmark: TrackingBenchmark?
  /// A list of the sequences that count; nil: all.
  public var sequenceMap: String?
  /// Whether distractors are excused, and other classes than pedestrians left out.
  public var isPreprocessed = true
  public var isJSON = false
  /// A folder for tables and charts; nil: none.
  public var folder: String?

  /// The names that `rule` and `benchmark` may have.
  public static let rules = TrackingRule.allCases.map { $0.configName.replacing("_", with: "-") }.joined(separator: ", ")
  public static let benchmarks = TrackingBenchmark.allCases.map { $0.rawValue.uppercased() }.joined(separator: ", ")

  /// - Parameters:
  ///   - rule: by name; nil: the official one.
  ///   - benchmark: by name, in capitals or not; nil: as the sequences tell.
  /// - Throws: `.usage` for a name that is not known.
  public init(truth: String, results: [String], rule: String? = nil, benchmark: String? = nil) throws {
    func named<Choice: ConfigChoice>(_ name: String?, _ option: String, _ known: String) throws -> Choice? {
      guard let name else { return nil }
      if let choice = Choice.named(name.lowercased().replacing("-", with: "_")) { return choice }
      throw Failure(.usage, at: option, "there is no '\(name)'", remedy: "Known: \(known).")
    }
    self.truth = truth
    self.results = results
    self.rule = try named(rule, "--rule", Self.rules) ?? .official
    self.benchmark = try named(benchmark, "--benchmark", Self.benchmarks)
  }

  /// - Returns: text for the user.
  /// - Throws: `.missingInput` if ground truth or a result is not there; `.badData` with file and line for rows that are refused.
  public func run(monitor: EvaluationMonitor = .init()) throws -> String {
    let sequences = try self.sequences()
    let files = try results.map { try resultFiles(in: $0, sequences) }
    for sequence in sequences where try File.bytes(at: sequence.truth, upTo: 1).isEmpty {
      Console().warning("\(sequence.truth) is empty: whatever is found in \(sequence.name) counts as false")
    }
    for file in files.flatMap(\.others) { Console().warning("\(file) is not judged: the ground truth has no sequence of this name") }
    let total = sequences.count * results.count
    var done = 0
    let trackers = try zip(names, files).map { name, files -> TrackingScores.Tracker in
      var tracker = TrackingScores.Tracker(name: name)
      for (sequence, path) in zip(sequences, files.paths) {
        if monitor.isCancelled() { throw EvaluationCancelled() }
        tracker.add(sequence.name, try metrics(sequence, path))
        done += 1
        monitor.report(done, total)
      }
      return tracker
    }
    let scores = TrackingScores(
      trackers: trackers, rule: rule, benchmarks: sequences.map(\.benchmark).uniqued(), isPreprocessed: isPreprocessed)
    var text = isJSON ? try scores.json : scores.text
    if let folder { text += try scores.write(to: folder, isSilent: isJSON) }
    return text
  }

  private func metrics(_ sequence: JudgedSequence, _ path: String) throws -> TrackingMetrics {
    let result = try MOTFile.result(at: path, length: sequence.length)
    let truth = try MOTFile.truth(at: sequence.truth, benchmark: sequence.benchmark, length: sequence.length)
    let comparison = try TrackingComparison(
      truth: truth, result: result, benchmark: sequence.benchmark, isPreprocessed: isPreprocessed, rule: rule)
    return TrackingMetrics(comparison, rule: rule)
  }

  /// The trackers' names: those of their files, or all of their paths where these are not enough.
  private var names: [String] {
    let names = results.map { $0.hasSuffix(".txt") ? Path.stem($0) : Path.name($0) }
    return Set(names).count == names.count ? names : results
  }

  // MARK: Files

  /// Ground truth by its path.
  private struct JudgedSequence {
    let name: String
    let truth: String
    /// Frames; nil if nothing says it.
    let length: Int?
    let benchmark: TrackingBenchmark
  }

  private func sequences() throws -> [JudgedSequence] {
    guard try File.kind(at: truth) != nil else {
      throw Failure(.missingInput, at: truth, "there is no such file or folder", remedy: "--gt names the ground truth.")
    }
    if try File.kind(at: truth) == .file { return [try plain(truth)] }
    let files = try Folder.files(in: truth) { Path.fileExtension($0) == "txt" }
    let hasFolders = try !Folder.folders(in: truth).isEmpty
    if sequenceMap == nil, !files.isEmpty, !hasFolders { return try files.map { try plain(Path.join(truth, $0)) } }
    return try MOTSequence.all(in: truth, sequenceMap: sequenceMap).map { sequence in
      JudgedSequence(name: sequence.name, truth: sequence.truthPath, length: sequence.info?.length,
               benchmark: try benchmark ?? sequence.benchmark())
    }
  }

  private func plain(_ path: String) throws -> JudgedSequence {
    let name = Path.stem(path)
    let benchmark = try benchmark ?? MOTSequence.benchmark(of: name) ?? MOTFile.benchmark(ofTruthAt: path)
    return JudgedSequence(name: name, truth: path, length: nil, benchmark: benchmark)
  }

  /// The result of each sequence, and files that belong to none.
  private func resultFiles(in place: String, _ sequences: [JudgedSequence]) throws -> (paths: [String], others: [String]) {
    switch try File.kind(at: place) {
    case nil: throw Failure(.missingInput, at: place, "there is no such file or folder", remedy: "--results names what a tracker found.")
    case .file:
      guard sequences.count == 1 else {
        throw Failure(.usage, at: "--results \(place)", "this is a file, but the ground truth has \(sequences.count) sequences",
                      remedy: "Name the folder with a file NAME.txt for each of them.")
      }
      return ([place], [])
    default: break
    }
    var paths: [String] = []
    var missing: [String] = []
    for sequence in sequences {
      if let path = try MOTSequence.resultPath(of: sequence.name, in: place) { paths.append(path) } else { missing.append(sequence.name) }
    }
    guard missing.isEmpty else {
      throw Failure(.missingInput, at: place, "\(missing.count) of \(sequences.count) sequences have no result: \(someOf(missing)); "
                      + "expected \(missing[0]).txt", remedy: "A tracker that found nothing in a sequence writes an empty file.")
    }
    let known = Set(paths.map(Path.name))
    let others = try paths.map(Path.folder).uniqued().flatMap { folder in
      try Folder.files(in: folder) { Path.fileExtension($0) == "txt" }.filter { !known.contains($0) }.map { Path.join(folder, $0) }
    }
    return (paths, others)
  }
}
