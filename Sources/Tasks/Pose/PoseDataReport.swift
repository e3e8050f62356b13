import Base
import Data
import Training
import Vision

extension Pose: DataCheckTask {
  public static func dataReport(_ config: PoseConfig) throws -> DataReport {
    guard !config.data.annotations.isEmpty else {
      throw Failure(.usage, at: "data.annotations", "'' leaves nothing to check", remedy: "Name a file of keypoints.")
    }
    var lines: [String] = []
    var isUsable = true
    for (title, data) in [("training set", config.data), ("validation set", config.validation)] where !data.annotations.isEmpty {
      if data.format == .coco {
        let other = title == "training set" && config.validation.format == .coco && !config.validation.annotations.isEmpty
          ? try COCOInstances(contentsOf: config.validation.annotations) : nil
        let report = COCOReport(of: try COCOInstances(contentsOf: data.annotations), images: data.images, validation: other,
                                validationImages: config.validation.images)
        lines.append("\(title): \(report)")
        isUsable = isUsable && report.isUsable
      }
      // What training and evaluation would take of it; a file that the report finds broken cannot be opened.
      guard isUsable, let set = try data.open(config) else { continue }
      lines += set.notes.map { "\(title): \($0)" }
      lines.append("\(title): \(labels(of: set))\n")
    }
    let skeleton = config.skeleton.skeleton
    let pairs = skeleton.flipPairs.map { "\(skeleton.names[$0.first]) - \(skeleton.names[$0.second])" }.joined(separator: ", ")
    lines.append("keypoints: \(skeleton.count): \(skeleton.names.joined(separator: ", "))")
    lines.append("flip pairs: \(pairs.isEmpty ? "none: left and right are not exchanged" : pairs)\n")
    return DataReport(text: lines.joined(separator: "\n"), isUsable: isUsable)
  }

  /// How often each keypoint is labelled, in the order of the skeleton.
  private static func labels(of set: PoseSet) -> String {
    guard set.bodies.contains(where: { $0.keypoints.contains(where: \.isLabeled) }) else { return "no labels: boxes of a detector" }
    let counts = set.skeleton.names.indices.map { k in set.bodies.count { $0.keypoints[k].isLabeled } }
    let never = zip(set.skeleton.names, counts).filter { $1 == 0 }.map(\.0)
    let text = "labelled keypoints: " + zip(set.skeleton.names, counts).map { "\($0) \($1)" }.joined(separator: ", ")
    return never.isEmpty ? text : text + "\nwarning: never labelled, so it cannot be learned: \(never.joined(separator: ", "))"
  }
}
