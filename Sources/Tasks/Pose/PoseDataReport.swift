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
    var distributions: [Distribution] = []
    for (title, data) in [("training set", config.data), ("validation set", config.validation)] where !data.annotations.isEmpty {
      if data.format == .coco {
        let other = title == "training set" && config.validation.format == .coco && !config.validation.annotations.isEmpty
          ? try COCOInstances(contentsOf: config.validation.annotations) : nil
        let report = COCOReport(of: try COCOInstances(contentsOf: data.annotations), images: data.images, decodesImages: true,
                                validation: other, validationImages: config.validation.images)
        lines.append("\(title): \(report)")
        isUsable = isUsable && report.isUsable
      }
      // What training and evaluation would take of it; a file that the report finds broken cannot be opened.
      guard isUsable, let set = try data.open(config) else { continue }
      lines += set.notes.map { "\(title): \($0)" }
      lines.append("\(title): \(labels(of: set))\n")
      if data.format == .mpii {
        let broken = unreadable(of: set)
        isUsable = isUsable && broken.isEmpty
        lines += broken
      }
      if title == "training set" { distributions = self.distributions(of: set) }
    }
    let skeleton = config.skeleton.skeleton
    let pairs = skeleton.flipPairs.map { "\(skeleton.names[$0.first]) - \(skeleton.names[$0.second])" }.joined(separator: ", ")
    lines.append("keypoints: \(skeleton.count): \(skeleton.names.joined(separator: ", "))")
    lines.append("flip pairs: \(pairs.isEmpty ? "none: left and right are not exchanged" : pairs)\n")
    lines += distributions.map(\.text)
    return DataReport(text: lines.joined(separator: "\n"), isUsable: isUsable, distributions: distributions)
  }

  /// The pictures that cannot be read, of a file for which there is no other report.
  private static func unreadable(of set: PoseSet) -> [String] {
    var seen: Set<String> = []
    return set.bodies.filter { seen.insert($0.fileName).inserted }.compactMap { body in
      do {
        _ = try set.image(body)
        return nil
      } catch {
        return "error: \(error)"
      }
    }
  }

  private static func distributions(of set: PoseSet) -> [Distribution] {
    let bodies = Dictionary(grouping: set.bodies) { $0.imageID }.values.map(\.count).sorted()
    let labeled = set.bodies.map { $0.keypoints.count(where: \.isLabeled) }
    let heights = set.bodies.map { Double($0.crop.scale.y * BodyCrop.unit) }
    let points = set.skeleton.names.indices.map { k in
      Distribution.Bin(set.skeleton.names[k], Double(set.bodies.count { $0.keypoints[k].isLabeled }))
    }
    return [
      Distribution("bodies of a picture", unit: "pictures", counting: bodies, most: 12),
      Distribution("height of the crop, px", unit: "bodies", heights, edges: [0, 32, 64, 128, 256, 512]),
      Distribution("labelled keypoints of a body", unit: "bodies", counting: labeled, most: max(1, set.skeleton.count)),
      Distribution("labels of the keypoints", unit: "bodies", points),
    ]
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
