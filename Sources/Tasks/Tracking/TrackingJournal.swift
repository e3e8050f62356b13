import Base
import Data
import Drawing
import Foundation
import Vision

/// The results of a sequence while it is tracked, in hidden files that take their names when it is done, and the state to go on from.
///
/// The state is written once the rows before it are on the disk: after a kill the files are cut back to what it knows, and the rest comes
/// out the same.
struct TrackingJournal {
  /// All that the frames to come depend on.
  struct State: Codable {
    /// Of settings, weights and inputs.
    let key: String
    let frames: Int
    let tracker: StoredTracker.State
    let trails: TrackTrails
    /// Bytes of the files at that time, by suffix.
    let sizes: [String: Int]
  }

  static let suffixes = [".txt", ".csv"]
  private static let head = "frame,id,left,top,width,height,score,class,detection,coasted"

  private let place: String
  private let key: String
  private var files: [String: AppendOnlyFile] = [:]
  private var sizes: [String: Int] = [:]
  /// The state of an earlier run of the same; nil: it begins anew.
  let saved: State?

  /// - Parameters:
  ///   - place: of the results, without extension.
  ///   - key: of all that they depend on.
  init(place: String, key: String) throws {
    (self.place, self.key) = (place, key)
    saved = try Self.state(Self.path(place, ".json"), place, key)
    for suffix in Self.suffixes {
      let path = Self.path(place, suffix)
      let size = saved?.sizes[suffix] ?? 0
      if try File.exists(path), truncate(path, off_t(size)) != 0 { throw Failure(.inputOutput, at: path, "it cannot be cut back") }
      files[suffix] = try AppendOnlyFile(appendingTo: path)
      sizes[suffix] = size
    }
    if saved == nil { try append(Self.head + "\n", to: ".csv") }
  }

  private static func path(_ place: String, _ suffix: String) -> String {
    Path.join(File.folder(of: place), ".apus-track-\(Path.name(place))\(suffix)")
  }

  /// A state that is damaged, of something else, or ahead of its files is as good as none.
  private static func state(_ path: String, _ place: String, _ key: String) throws -> State? {
    guard let bytes = try File.bytesIfPresent(at: path), let state = try? JSONDecoder().decode(State.self, from: Data(bytes)),
          state.key == key else { return nil }
    for suffix in suffixes {
      let file = try File.bytesIfPresent(at: Self.path(place, suffix))
      guard let file, file.count >= state.sizes[suffix] ?? .max else { return nil }
    }
    return state
  }

  private mutating func append(_ text: String, to suffix: String) throws {
    let bytes = Array(text.utf8)
    try files[suffix]?.append(bytes)
    sizes[suffix, default: 0] += bytes.count
  }

  /// Adds the rows of a frame, which counts from 1.
  mutating func append(_ boxes: [TrackedBox], frame: Int) throws {
    guard !boxes.isEmpty else { return }
    try append(MOTFile.text(of: boxes, frame: frame), to: ".txt")
    try append(boxes.map { Self.row($0, frame: frame) }.joined(), to: ".csv")
  }

  private static func row(_ box: TrackedBox, frame: Int) -> String {
    let place = box.box
    let numbers = [place.x, place.y, place.width, place.height].map { String(format: "%.2f", $0) }.joined(separator: ",")
    let tail = [box.category.map(String.init) ?? "", box.detection.map(String.init) ?? "", box.detection == nil ? "1" : "0"]
    return "\(frame),\(box.id),\(numbers),\(String(format: "%.6g", box.score)),\(tail.joined(separator: ","))\n"
  }

  /// Stores the state behind the rows so far.
  func save(_ tracker: StoredTracker.State, _ trails: TrackTrails, frames: Int) throws {
    for file in files.values { try file.synchronize() }
    let state = State(key: key, frames: frames, tracker: tracker, trails: trails, sizes: sizes)
    try AtomicFile.write(Array(try JSONEncoder.ofFiles.encode(state)), to: Self.path(place, ".json"))
  }

  /// Gives the files their names.
  mutating func finish() throws {
    for file in files.values { try file.synchronize() }
    files = [:]
    for suffix in Self.suffixes.reversed() {
      _ = try File.move(Self.path(place, suffix), to: place + suffix)
    }
    File.synchronize(folder: File.folder(of: place))
    try? FileManager.default.removeItem(atPath: Self.path(place, ".json"))
  }
}
