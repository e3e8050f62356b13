import Base
import Data
import Foundation
import Testing
import Vision

/// A folder with run folders that are written by hand, as `apus train` would leave them; deleted with this value.
final class SampleRuns {
  let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "apus-runs-\(UUID().uuidString)").path(percentEncoded: false)
    try File.createFolder(folder)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func path(_ name: String) -> String { Path.join(folder, name) }

  func write(_ text: String, to name: String) throws {
    try File.createFolder(File.folder(of: path(name)))
    try AtomicFile.write(text, to: path(name))
  }

  func text(_ name: String) throws -> String { try File.text(at: path(name)) }

  static let config = "task: segmentation\nplan: {steps: 20}\n"

  /// A run whose score in validation is `values`, at the steps 10, 20 ….
  /// - Parameter state: in `run.json`; nil: none is written.
  /// - Returns: its folder.
  @discardableResult
  func run(_ name: String, scores values: [Double] = [0.4, 0.6], config: String = SampleRuns.config, state: String? = "completed",
           losses: [Double] = [2, 1, 0.5]) throws -> String {
    try write(config, to: "\(name)/config.yaml")
    func row(_ split: String, _ step: Int, _ values: String, wall: Int) -> (Int, String) {
      (step, "{\"split\":\"\(split)\",\"step\":\(step),\"epoch\":\(step / 10),\(values),\"wall\":\(wall)}\n")
    }
    let training = losses.enumerated().map { row("train", $0 * 7 + 5, "\"lr\":0.1,\"loss\":\($1)", wall: 1000 + 60 * $0) }
    let validation = values.enumerated().map { row("val", $0 * 10 + 10, "\"mIoU\":\($1)", wall: 1030 + 60 * $0) }
    try write((training + validation).sorted { $0.0 < $1.0 }.map(\.1).joined(), to: "\(name)/metrics.jsonl")
    if let state {
      let record = "{\"state\":\"\(state)\",\"pid\":1,\"host\":\"h\",\"started\":\"20260101T000000Z\",\"step\":20,\"steps\":20}"
      try write(record, to: "\(name)/run.json")
    }
    try write("{\"cpu\": \"a processor <b>\", \"cores\": 2}", to: "\(name)/env.json")
    try write("--set data.root=<x>\n", to: "\(name)/overrides.txt")
    try File.createFolder(path("\(name)/vis/step_00000020"))
    try Image(height: 4, width: 6, channels: 3).write(to: path("\(name)/vis/step_00000020/one.png"))
    return path(name)
  }
}

/// Checks that a closure fails with a message that has all the words.
func expectFailure(
  _ kind: Failure.Kind, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation, of body: () throws -> Void
) {
  let failure = #expect(throws: Failure.self, sourceLocation: sourceLocation) { try body() }
  #expect(failure?.kind == kind, "\(String(describing: failure))", sourceLocation: sourceLocation)
  let message = failure?.description ?? ""
  for word in words { #expect(message.contains(word), "'\(word)' in: \(message)", sourceLocation: sourceLocation) }
}
