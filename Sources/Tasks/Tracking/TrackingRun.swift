import Base
import Data
import Drawing
import Foundation
import Training
import Vision
import WeightFiles

/// The arguments of `apus track run`.
public struct TrackingRequest: Sendable {
  public var config: ConfigRequest
  /// A sequence, a folder of sequences, or a folder of pictures.
  public var source: String
  /// The folder for the results.
  public var out: String
  /// Whether to draw every frame.
  public var hasPictures = false

  public init(config: ConfigRequest, source: String, out: String) {
    (self.config, self.source, self.out) = (config, source, out)
  }

  /// Tracks every sequence of the source. A run that was stopped goes on where it was: finished sequences stay as they are, and the rest
  /// gets the same bytes as in one go.
  /// - Returns: lines for the user.
  /// - Throws: `.usage` if the config is of another task; `.cannotCreate` if another process writes to the folder; what reading and writing
  ///   throw.
  public func run(progress: @escaping (_ frame: Int, _ count: Int) -> Void = { _, _ in }) throws -> [String] {
    let name = try TaskName.named(in: config.path, overrides: config.overrides)
    guard name == .tracking else {
      throw Failure(.usage, at: config.path, "the task of this config is '\(name.configName)', expected 'tracking'")
    }
    let settings = try Tracking.load(config).value
    let inputs = try TrackingInput.all(in: source)
    if hasPictures {
      if let problem = Typeface.problem { Warning.emit(problem) }
      if let input = inputs.first(where: { $0.images.isEmpty }) {
        throw Failure(.missingInput, at: input.sequence?.imageFolder ?? input.name, "there are no pictures to draw on",
                      remedy: "Leave out --pictures.")
      }
      for input in inputs { try input.requireApart(from: Path.join(out, input.name)) }
    }
    let parts = try TrackingParts(settings)
    if parts.looksAtPictures || hasPictures { for input in inputs { input.shortage.map(Warning.emit) } }
    let items = try inputs.map { input in
      TrackedSequence(input: input, inputs: try input.inputs(settings.detector, looksAtPictures: parts.looksAtPictures || hasPictures))
    }
    let predictor = TrackingPredictor(items: items, parts: parts, hasPictures: hasPictures, progress: progress)
    var run = try PredictionRun(predictor, weights: parts.checksum.value, source: [source], out: out, MemoryGuard())
    return try run.run { _, _ in }
  }
}

/// A sequence whose result is to be made.
struct TrackedSequence: OutputItem {
  let input: TrackingInput
  let inputs: [String]
  var result: String { input.name }
}

/// Tracks one sequence after the other.
struct TrackingPredictor: Predictor {
  /// All that the bytes of a result depend on besides weights and inputs.
  struct Settings: Encodable {
    let config: TrackingConfig
    let hasPictures: Bool
  }

  let items: [TrackedSequence]
  let parts: TrackingParts
  let hasPictures: Bool
  let progress: (_ frame: Int, _ count: Int) -> Void

  var sequences: [[TrackedSequence]] { [items] }
  let isChained = false
  let suffixes = TrackingJournal.suffixes
  let noun = "results"
  var explanation: String {
    "NAME.txt (the MOTChallenge's result file) and NAME.csv (with class, detection and a flag for predicted boxes)"
      + (hasPictures ? ", NAME/000001.jpg, ... with the tracks drawn" : "")
  }

  var settings: Settings {
    var config = parts.config
    config.validation = TrackingData()
    config.plan.threads = 0
    return Settings(config: config, hasPictures: hasPictures)
  }

  private func key(_ item: TrackedSequence) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = Array(try encoder.encode(settings)) + Array("\(parts.checksum.value)\(item.fingerprint)".utf8)
    return "\(CRC32C.of(text))"
  }

  func write(_ item: TrackedSequence, from carry: Safetensors?, to place: String, _ memory: MemoryGuard) throws -> Safetensors? {
    guard let tracker = parts.onlineTracker() else {
      try writeBatch(item, to: place)
      return nil
    }
    try writeOnline(item, tracker, to: place)
    return nil
  }

  /// When a state is due: a second after the last one, and where storing takes long so much later that it takes a twentieth of the time.
  private struct SavingClock {
    private var due = Date(timeIntervalSinceNow: 1)

    var isDue: Bool { Date() >= due }

    mutating func time(_ save: () throws -> Void) rethrows {
      let start = Date()
      try save()
      due = Date(timeIntervalSinceNow: max(1, 20 * Date().timeIntervalSince(start)))
    }
  }

  private func writeOnline(_ item: TrackedSequence, _ tracker: StoredTracker, to place: String) throws {
    var tracker = tracker
    var journal = try TrackingJournal(place: place, key: try key(item))
    var pictures = TrackingFilm(item.input, parts.config.pictures, hasPictures ? place : nil)
    if let saved = journal.saved {
      tracker.restore(saved.tracker)
      pictures.trails = saved.trails
    }
    var observations = try parts.observations(of: item.input, startingAt: journal.saved?.frames ?? 0)
    var clock = SavingClock()
    while let observation = try observations.next() {
      let boxes = tracker.update(observation)
      try journal.append(boxes, frame: observation.frame + 1)
      try pictures.draw(boxes, frame: observation.frame)
      if clock.isDue { try clock.time { try journal.save(tracker.state, pictures.trails, frames: observation.frame + 1) } }
      progress(observation.frame + 1, observations.length)
    }
    try pictures.finish()
    try journal.finish()
  }

  private func writeBatch(_ item: TrackedSequence, to place: String) throws {
    var journal = try TrackingJournal(place: place, key: "")
    var pictures = TrackingFilm(item.input, parts.config.pictures, hasPictures ? place : nil)
    let frames = try parts.tracks(of: item.input, progress: progress)
    for (frame, boxes) in frames.enumerated() {
      try journal.append(boxes, frame: frame + 1)
      try pictures.draw(boxes, frame: frame)
    }
    try pictures.finish()
    try journal.finish()
  }
}

extension TrackingParts {
  /// The tracks of a whole sequence, frame by frame.
  func tracks(of input: TrackingInput, progress: (_ frame: Int, _ count: Int) throws -> Void = { _, _ in }) throws -> [[TrackedBox]] {
    var observations = try observations(of: input)
    var online = onlineTracker()
    var batch = online == nil ? batchTracker() : nil
    var frames: [[TrackedBox]] = []
    while let observation = try observations.next() {
      if let boxes = online?.update(observation) { frames.append(boxes) }
      batch?.add(observation)
      try progress(observation.frame + 1, observations.length)
    }
    return batch?.tracks() ?? frames
  }
}
