import Base
import Data
import Foundation
import Testing
import Vision

/// A temporary folder with a small config and generated pairs, where commands run; deleted with this value.
final class Workplace {
  /// The package's folder.
  static let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .path(percentEncoded: false).trimmingSuffix("/")

  let folder: String
  private var commandCount = 0

  /// - Parameter plan: settings that stand in the config besides the small sizes, as YAML lines of the section `plan`.
  init(plan: String = "steps: 4, log_every: 1, evaluate_every: 0, save_every: 2", train: String = "batch_size: 1, iterations: 1") throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path(percentEncoded: false)
    try FileManager.default.createDirectory(atPath: path("logs"), withIntermediateDirectories: true)
    try write("config.yaml", """
      base: \(Workplace.checkout)/configs/raft/small-chairs.yaml
      data: {root: pairs}
      validation: {root: pairs}
      augmentation: {crop_height: 128, crop_width: 128}
      train: {\(train)}
      inference: {iterations: 1}
      plan: {\(plan), threads: 1}

      """)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// Starts `apus` in this folder.
  func start(_ arguments: String...) throws -> Command { try start(arguments) }

  func start(_ arguments: [String]) throws -> Command {
    commandCount += 1
    return try Command(arguments, in: folder, logs: path("logs/\(commandCount)"))
  }

  /// Runs `apus` in this folder to its end.
  func apus(_ arguments: String...) throws -> Outcome { try start(arguments).wait() }

  func apus(_ arguments: [String]) throws -> Outcome { try start(arguments).wait() }

  /// Runs a line of bash in this folder, where `$APUS` is the program.
  func shell(_ line: String) throws -> Outcome {
    commandCount += 1
    return try Command(["-c", line], of: URL(filePath: "/bin/bash"), in: folder, logs: path("logs/\(commandCount)"),
                       environment: ["APUS": Command.binary.path(percentEncoded: false)]).wait()
  }

  /// Runs `apus` with further environment variables.
  func apus(_ arguments: [String], environment: [String: String]) throws -> Outcome {
    commandCount += 1
    return try Command(arguments, in: folder, logs: path("logs/\(commandCount)"), environment: environment).wait()
  }

  /// Eight generated pairs in `pairs`, two of them for validation.
  func generatePairs(into name: String = "pairs") throws {
    let outcome = try apus("synth", "flow", "--out", name, "--count", "8", "--seed", "1", "--height", "160", "--width", "192",
                           "--validation", "0.25")
    try #require(outcome.exit == 0, "\(outcome.errors)")
  }

  /// A run of a few steps in `run`, with the checkpoints 2 and 4.
  func trainBriefly() throws {
    try generatePairs()
    expectSuccess(try apus("train", "config.yaml", "--work-dir", "run"))
  }

  // MARK: Files

  func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    try FileManager.default.createDirectory(atPath: (path(name) as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Foundation.Data(bytes).write(to: URL(filePath: path(name)))
  }

  func bytes(_ name: String) throws -> [UInt8] { try File.bytes(at: path(name)) }

  func text(_ name: String) throws -> String { try File.text(at: path(name)) }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  func names(in name: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted() }

  /// Flips all bits of one byte.
  func flipByte(of name: String, at offset: Int) throws {
    var bytes = try bytes(name)
    bytes[offset] ^= 0xFF
    try write(name, bytes)
  }

  func truncate(_ name: String, to count: Int) throws { try write(name, Array(try bytes(name).prefix(count))) }

  // MARK: Pictures

  /// A smooth pattern, moved by some pixels to the right.
  static func picture(height: Int, width: Int, shift: Int = 0) -> Image {
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        let (a, b) = (Double(x - shift), Double(y))
        for phase in [0.0, 2, 4] { pixels.append(UInt8(128 + 60 * sin(a / 5 + phase) + 60 * cos(b / 7 + phase))) }
      }
    }
    return Image(height: height, width: width, channels: 3, pixels: pixels)
  }

  /// Two frames and their flow under `name`, in the form of the data format `pairs`: everything moves two pixels to the right.
  func writePair(_ name: String, height: Int, width: Int) throws {
    try FileManager.default.createDirectory(atPath: (path(name) as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Workplace.picture(height: height, width: width).write(to: path("\(name)_img1.png"))
    try Workplace.picture(height: height, width: width, shift: 2).write(to: path("\(name)_img2.png"))
    let vectors = (0..<2 * height * width).map { $0 % 2 == 0 ? Float(2) : 0 }
    try FlowField(height: height, width: width, vectors: vectors).write(to: path("\(name)_flow.flo"))
  }
}

extension String {
  func trimmingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
}
