import Base
import Data
import Foundation
import Synchronization
import Vision

extension FlowSynthesis {
  /// Writes scenes in the layout of a public data set.
  ///
  /// A scene is the same whatever the number of threads, and every file appears complete or not at all, so an interrupted call is simply
  /// repeated: what was there is replaced by the same bytes.
  /// - Parameters:
  ///   - count: scenes (of FlyingChairs and KITTI: pairs), 1...9,999 (of FlyingChairs 99,999).
  ///   - frames: in a scene, 2...100; FlyingChairs and KITTI have two.
  ///   - seed: of the data set.
  ///   - heldOutShare: share of the scenes, 0...1, spread evenly: of FlyingChairs for validation, of FlyingThings3D in TEST, of Sintel and
  ///     KITTI in the part without truth; HD1K has no such part.
  ///   - root: the folder to fill; made if missing.
  ///   - threads: at work at the same time; 0 takes one per processor.
  ///   - progress: called after each scene with the number of those done, from any thread, one call at a time.
  /// - Throws: `.usage` for settings out of range; `.cannotCreate` if a folder cannot be made or holds other data; the failures of
  ///   `AtomicFile.write`.
  public func write(
    _ layout: FlowLayout, count: Int, frames: Int = 4, seed: UInt64, heldOutShare: Double = 0.1, to root: String, threads: Int = 0,
    progress: @escaping @Sendable (_ done: Int) -> Void = { _ in }
  ) throws {
    if layout == .flyingChairs {
      return try writeFlyingChairs(count: count, seed: seed, validationShare: heldOutShare, to: root, threads: threads, progress: progress)
    }
    try validate()
    guard (1...9999).contains(count) else { throw Failure(.usage, at: "count", "found \(count), expected 1...9999 scenes") }
    guard (2...100).contains(frames) else { throw Failure(.usage, at: "frames", "found \(frames), expected 2...100") }
    guard (0...1).contains(heldOutShare) else { throw Failure(.usage, at: "heldOutShare", "found \(heldOutShare), expected 0...1") }
    let frames = layout.frames(frames)
    let marks = Self.validationMarks(count: count, share: layout == .hd1k ? 0 : heldOutShare)
    let scenes = (0..<count).map { layout.files(scene: $0, frames: frames, isHeldOut: marks[$0]) }
    try writeScenes(scenes.map { $0.map(\.path) }, of: "data", to: root, threads: threads, progress: progress) { index in
      let film = RenderedSequence(self, index: index, seed: seed, frames: frames)
      for file in scenes[index] { try film.write(file.content, to: Path.join(root, file.path)) }
    }
  }
}

extension RenderedSequence {
  fileprivate func write(_ content: SceneFile.Content, to path: String) throws {
    switch content {
    case .clean(let frame): try clean(frame).write(to: path)
    case .final(let frame): try final(frame).write(to: path)
    case .flow(let frame): try flow(frame).write(to: path)
    case .pastFlow(let frame): try pastFlow(frame).write(to: path)
    case .sparseFlow(let frame, let sky, let holes, let nonOccludedOnly):
      try sparseFlow(frame, sky: sky, holes: holes, nonOccludedOnly: nonOccludedOnly).write(to: path)
    case .occlusion(let frame): try image(mask: occlusion(frame)).write(to: path)
    case .invalid: try image(mask: nil).write(to: path)
    }
  }
}

/// Writes the scenes of a generated data set on several threads.
///
/// Nothing but the scene's number tells one from another, so an interrupted call is simply repeated. Pictures and truth in the folder that
/// this call would not replace are refused, since they would join the set.
/// - Parameters:
///   - scenes: the files of each scene, below `root`.
///   - noun: what the files are of, for messages: `data`, `pairs`.
///   - root: the folder to fill; made if missing, with the folders of all files.
///   - threads: at work at the same time; 0 takes one per processor.
///   - progress: called after each scene with how many are done, from any thread, one call at a time.
///   - write: makes the files of one scene, from any thread.
/// - Throws: `.cannotCreate` if a folder cannot be made or holds other data; the first failure of `write`, after which no scene begins.
public func writeScenes(
  _ scenes: [[String]], of noun: String, to root: String, threads: Int = 0,
  progress: @escaping @Sendable (_ done: Int) -> Void = { _ in }, write: @Sendable (_ scene: Int) throws -> Void
) throws {
  try File.createFolder(root)
  let paths = scenes.flatMap { $0 }
  let own = Set(paths)
  let foreign = try File.files(below: root).filter { path in
    ["png", "jpg", "flo", "pfm", "ppm"].contains(Path.fileExtension(path)) && !own.contains(path)
  }
  guard foreign.isEmpty else {
    throw Failure(.cannotCreate, at: root, "the folder holds \(foreign.count) files of other \(noun), such as \(foreign.sorted()[0])",
                  remedy: "Name an empty folder, remove them, or ask for at least as many scenes and frames as before.")
  }
  for folder in Set(paths.map(File.folder(of:))).sorted() { try File.createFolder(Path.join(root, folder)) }
  try forEachScene(count: scenes.count, threads: threads, progress: progress, write)
}

/// Does `body` for every index on several threads; after the first failure nothing new begins, and it is thrown.
private func forEachScene(
  count: Int, threads: Int, progress: @escaping @Sendable (_ done: Int) -> Void, _ body: @Sendable (Int) throws -> Void
) throws {
  let next = Atomic<Int>(0)
  let state = Mutex((done: 0, failure: Error?.none))
  let workers = min(count, threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount)
  DispatchQueue.concurrentPerform(iterations: workers) { _ in
    while state.withLock({ $0.failure == nil }) {
      let index = next.add(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      do {
        try body(index)
        state.withLock {
          $0.done += 1
          progress($0.done)
        }
      } catch {
        state.withLock { $0.failure = $0.failure ?? error }
      }
    }
  }
  if let failure = state.withLock({ $0.failure }) { throw failure }
}
