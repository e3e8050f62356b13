import Base
import Data
import Drawing
import Foundation
import Vision

/// The pictures of a sequence with its tracks, and a film of them where `ffmpeg` is installed.
struct TrackingFilm {
  private let input: TrackingInput
  private let settings: TrackingPictures
  /// The folder of the pictures; nil: none are drawn.
  private let folder: String?
  var trails: TrackTrails

  init(_ input: TrackingInput, _ settings: TrackingPictures, _ folder: String?) {
    (self.input, self.settings, self.folder) = (input, settings, folder)
    trails = TrackTrails(length: settings.trail)
  }

  /// Draws a frame, which counts from 0; nothing beyond the last picture.
  mutating func draw(_ boxes: [TrackedBox], frame: Int) throws {
    trails.add(boxes, frame: frame)
    guard let folder, input.images.indices.contains(frame) else { return }
    if try File.kind(at: folder) == nil { try File.createFolder(folder) }
    let picture = AnnotatedPicture(try input.image(frame), tracks: boxes, trails: trails)
    try picture.write(to: Path.join(folder, String(format: "%06d.jpg", frame + 1)))
  }

  /// Makes the film `FOLDER.mp4`; a failure is a warning, for the pictures are there.
  func finish() throws {
    guard let folder, let program = Self.program else { return }
    let rate = settings.frameRate > 0 ? settings.frameRate : input.frameRate ?? 25
    let process = Process()
    process.executableURL = URL(filePath: program)
    // Codecs of films need even sides.
    process.arguments = ["-y", "-loglevel", "error", "-framerate", "\(rate)", "-i", Path.join(folder, "%06d.jpg"), "-vf",
                         "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", folder + ".mp4"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    do {
      try process.run()
      process.waitUntilExit()
    } catch {
      return Warning.emit("\(program) did not start: \(error.localizedDescription)")
    }
    if process.terminationStatus != 0 { Warning.emit("\(program) made no film of \(folder)") }
  }

  /// The path of `ffmpeg`; nil if it is not installed.
  private static var program: String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    return folders.map { Path.join($0, "ffmpeg") }.first { access($0, X_OK) == 0 }
  }
}
