import Base
import Data
import Drawing
import Models
import Training
import Vision
import WeightFiles

extension Pose: PredictionTask {
  public static let predictOptions = [
    TaskOption("boxes", key: "inference.boxes", .value,
               help: "A JSON file of boxes: COCO annotations or results. None: a body fills the picture."),
    TaskOption("flip-test", key: "inference.flip_test", .switchable, help: "Whether the mirror image is looked at, too."),
  ]

  public static func predictor(_ config: PoseConfig, _ model: HRNetPose, source: [String]) throws -> PosePredictor {
    let boxes = try config.inference.boxes.isEmpty ? nil : PictureBoxes(contentsOf: config.inference.boxes)
    let items = try ImageFiles.drawn(source).enumerated().map { PosePredictor.Item(image: $1, place: $0 + 1) }
    if let boxes, !items.contains(where: { boxes.boxes(of: $0) != nil }) {
      let example = items.first?.path ?? ""
      throw Failure(.badData, at: config.inference.boxes, "there is no box for any of the \(items.count) pictures, such as \(example)",
                    remedy: "Annotations name the files; results have the number in the file's name as image_id.")
    }
    return PosePredictor(items: items, boxes: boxes, estimator: PoseEstimator(model, config), config: config)
  }
}

/// The boxes of pictures by a file.
struct PictureBoxes: Sendable {
  typealias Box = (box: BoundingBox, score: Double, category: Int)

  /// By file name, of annotations.
  private let named: [String: [Box]]
  /// By the number in the name, of results.
  private let numbered: [Int: [Box]]
  /// What results depend on.
  let checksum: UInt32

  /// - Throws: `.missingInput`; `.badData` if it is neither COCO annotations nor results.
  init(contentsOf path: String) throws {
    let bytes = try File.bytes(at: path)
    checksum = CRC32C.of(bytes)
    if bytes.first(where: { !$0.isSpace }) == UInt8(ascii: "[") {
      let boxes = try COCOResults.read(path).compactMap { result in
        result.box.map { (result.imageID, (box: $0, score: result.score, category: result.categoryID)) }
      }
      numbered = Dictionary(grouping: boxes, by: \.0).mapValues { $0.map(\.1) }
      named = [:]
    } else {
      let file = try COCOInstances(contentsOf: path, segmentations: .skipped)
      let annotations = file.annotationsByImage()
      named = Dictionary(file.images.map { image in
        (Path.name(image.fileName), (annotations[image.id] ?? []).filter { !$0.isCrowd }.map { ($0.box, 1, $0.categoryID) })
      }) { first, _ in first }
      numbered = [:]
    }
  }

  /// The boxes of a picture that have an area; nil if the file does not know it.
  func boxes(of item: PosePredictor.Item) -> [Box]? {
    (named[Path.name(item.path)] ?? item.number.flatMap { numbered[$0] })?.filter { $0.box.isFinite && !$0.box.isEmpty }
  }
}

extension UInt8 {
  fileprivate var isSpace: Bool { self == 32 || (9...13).contains(self) }
}

/// Finds and draws the bodies of one picture after the other.
public struct PosePredictor: PicturePredictor {
  /// An image file.
  public struct Item: OutputItem {
    let image: ImageFiles.Entry
    /// The picture's place in the list, from 1.
    let place: Int
    /// The number in the file's name, such as 785 for `000000000785.jpg`; nil if it is no number.
    var number: Int? { Int(Path.stem(path)) }
    var path: String { image.path }
    public var result: String { image.result }
    public var inputs: [String] { image.inputs }
  }

  /// All that the bits of a result depend on besides weights and pictures.
  public struct Settings: Encodable {
    let model: HRNetPose.Config
    let crop: PoseCrop
    let skeleton: SkeletonSettings
    let inference: PoseInferenceSettings
    let boxes: UInt32
  }

  public let items: [Item]
  let boxes: PictureBoxes?
  let estimator: PoseEstimator
  let config: PoseConfig

  public var suffixes: [String] { [".json", "_pose.png"] }
  public var noun: String { "lists of bodies" }
  public var explanation: String { "NAME.json (COCO's keypoint results, in pixels) and NAME_pose.png" }
  public var settings: Settings {
    Settings(model: config.model, crop: config.crop, skeleton: config.skeleton, inference: config.inference, boxes: boxes?.checksum ?? 0)
  }

  public mutating func write(_ item: Item, from carry: Safetensors?, to place: String, _ memory: MemoryGuard) throws -> Safetensors? {
    let image = try Image(contentsOf: item.path).rgb()
    let whole = BoundingBox(x: 0, y: 0, width: Double(image.width), height: Double(image.height))
    let chosen = boxes.map { $0.boxes(of: item) ?? [] } ?? [(whole, 1, 1)]
    let found = try bodies(in: image, chosen, number: item.number ?? item.place, memory)
    let kept = PosedBody.suppressed(found, config.skeleton.skeleton, threshold: config.inference.oksThreshold)
    try AnnotatedPicture(image, bodies: kept.map { Pose.drawn($0, config) }, config.skeleton.skeleton).write(to: "\(place)_pose.png")
    try COCOResults.write(kept.map(\.result), to: "\(place).json")
    return nil
  }

  private func bodies(in image: Image, _ boxes: [PictureBoxes.Box], number: Int, _ memory: MemoryGuard) throws -> [PosedBody] {
    let crop = config.crop
    return try stride(from: 0, to: boxes.count, by: config.inference.batchSize).flatMap { start -> [PosedBody] in
      let batch = boxes[start..<min(start + config.inference.batchSize, boxes.count)]
      try memory.require(InputShape(samples: batch.count, height: crop.height, width: crop.width))
      return zip(batch, estimator.keypoints(of: batch.map(\.box), in: image, crop)).map { box, found in
        PosedBody(
          imageID: number, category: box.category, keypoints: found.keypoints, boxScore: box.score, area: found.area,
          countingAbove: config.inference.keypointThreshold)
      }
    }
  }
}
