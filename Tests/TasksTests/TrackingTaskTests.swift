import Base
import Data
import Foundation
import Tasks
import Tensors
import Testing
import TestSupport
import Training
import Vision
import WeightFiles

/// The config of a tracker, and the trackers that it makes of the reference's data.
@Suite struct TrackingTaskTests {
  private static let data = ShippedConfigTests.checkout.deletingLastPathComponent().appending(path: "shared/data").path(percentEncoded: false)
  private static let campus = "\(data)/mot_TUD-Campus"
  private static let hasData = FileManager.default.fileExists(atPath: campus)

  private func problem(_ yaml: String) -> String {
    do {
      _ = try ConfigLoader(defaults: TrackingConfig()).load(yaml: "task: tracking\n" + yaml, named: "c.yaml")
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [
    ("kind: parts\naffinity: {iou: -1, mahalanobis: 1}", "'affinity.iou' is -1.0; allowed: 0 to 1000000"),
    ("kind: parts\naffinity: {iou: 0}", "'affinity.iou' is 0.0; allowed: above 0, where no other term is"),
    ("kind: parts\naffinity: {pose: 1}", "'affinity.pose' is 1.0; allowed: 0 without a network: name networks.pose.config"),
    ("kind: parts\ngates: {cosine: 0.4}", "'gates.cosine' is 0.4; allowed: 2 (no gate) without vectors"),
    ("kind: parts\ngates: {iou: 2}", "'gates.iou' is 2.0"),
    ("kind: parts\nassociation: {min_affinity: 2}", "'association.min_affinity' is 2.0"),
    ("kind: parts\ntracks: {coasting: 31}", "'tracks.coasting' is 31; allowed: 0 to max_age (30)"),
    ("kind: batch\nbatch: {link_step: 5}", "'batch.link_step' is 5; allowed: 0 (none) without vectors"),
    ("kind: batch\nbatch: {false_share: 0.9}", "'batch.false_share' is 0.9"),
    ("detector: {kind: detr}", "'detector.config' is ''"), ("detector: {batch_size: 4}", "'detector.batch_size' is 4; allowed: 1 without a network"),
    ("detector: {kind: features}", "'detector.path' is ''"),
    ("sort: {iou_threshold: 3}", "'sort.iou_threshold' is 3.0"), ("kind: deepsort\ndeepsort: {max_age: -1}", "'deepsort.max_age' is -1"),
    ("kind: sort\ntracks: {max_age: 3}", "'tracks' has no effect with kind: sort"), ("plan: {threads: -1}", "'plan.threads' is -1"),
    ("plan: {steps: 3}", "unknown key 'plan.steps'"), ("kind: kalman", "expected one of sort, deepsort, parts, batch"),
  ]) func valuesAreJudged(yaml: String, message: String) {
    #expect(problem(yaml).contains(message), "\(problem(yaml))")
  }

  @Test func namesAndWeightsBelongTogether() {
    #expect(problem("networks: {flow: {config: a.yaml}}").contains("'networks.flow.weights' is ''"))
    #expect(problem("networks: {flow: {weights: a.pth}}").contains("'networks.flow.config' is ''"))
    #expect(problem("kind: parts\naffinity: {flow: 1}\nnetworks: {flow: {config: a.yaml, weights: b}}") == "none")
    #expect(problem("kind: parts\naffinity: {appearance: 1}\ndetector: {kind: features, path: x}") == "none")
  }

  // MARK: The reference's data

  private func rows(_ path: String) throws -> [String: BoundingBox] {
    var rows: [String: BoundingBox] = [:]
    for (frame, boxes) in try MOTFile.result(at: path).enumerated() {
      for box in boxes { rows["\(frame + 1) \(box.id)"] = box.box }
    }
    return rows
  }

  private func expectEqual(_ found: String, _ expected: String) throws {
    let (found, expected) = (try rows(found), try rows(expected))
    #expect(found.count == expected.count && found.keys == expected.keys)
    for (key, box) in expected {
      guard let other = found[key] else { continue }
      let distance = [box.x - other.x, box.y - other.y, box.width - other.width, box.height - other.height].map(abs).max() ?? 0
      #expect(distance <= 0.02, "row \(key)")
    }
  }

  private func run(_ yaml: String, source: String) throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path(percentEncoded: false)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try ("task: tracking\n" + yaml).write(toFile: "\(folder)/c.yaml", atomically: true, encoding: .utf8)
    _ = try TrackingRequest(config: ConfigRequest("\(folder)/c.yaml"), source: source, out: "\(folder)/out").run()
    return folder
  }

  @Test(.enabled(if: hasData)) func sortEqualsTheReference() throws {
    let folder = try run("kind: sort\n", source: Self.campus)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try expectEqual("\(folder)/out/mot_TUD-Campus.txt", "\(Self.campus)/results/sort.txt")
  }

  /// As `kind: deepsort`, and as DeepSORT's parts put together.
  @Test(.enabled(if: hasData), arguments: [
    "kind: deepsort\n",
    """
    kind: parts
    affinity: {iou: 0, appearance: 1}
    gates: {mahalanobis: box}
    association: {min_affinity: 0.8, cascade: true, iou_stage: true}
    tracks: {coasting: 1}

    """,
  ]) func deepSORTEqualsTheReference(yaml: String) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path(percentEncoded: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: "\(Self.campus)/deepsort/input.npy", toPath: "\(folder)/mot_TUD-Campus.npy")
    let out = try run(yaml + "detector: {kind: features, path: \(folder)}\n", source: Self.campus)
    defer { try? FileManager.default.removeItem(atPath: out) }
    try expectEqual("\(out)/out/mot_TUD-Campus.txt", "\(Self.campus)/deepsort/expected.txt")
  }
}
