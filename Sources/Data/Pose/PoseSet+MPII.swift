import Base
import Vision

extension PoseSet {
  /// The bodies of an annotation file of MPII Human Pose, as HRNet's authors prepare it: a list of `image`, `center`, `scale`, `joints` and
  /// `joints_vis`, counted from pixel 1.
  ///
  /// PCKh needs the boxes of heads. They are in `headboxes_src` of the authors' `gt_valid.mat`, in the order of the annotations; an
  /// annotation may also have its own, `head_box: [x1, y1, x2, y2]`.
  /// - Parameters:
  ///   - folder: that of the images.
  ///   - headBoxes: a MAT-file; nil: those of the annotations, if they have any.
  /// - Throws: `.missingInput`, `.badData` if a file is gone or broken, or has not 16 joints.
  public init(mpii path: String, images folder: String, headBoxes: String? = nil, _ crop: PoseCrop) throws {
    var entries = try JSONScanner.read(path) { json in try json.list { try MPIIEntry(&$0) } }
    guard !entries.isEmpty else { throw Failure(.badData, at: path, "there is no body in this file") }
    if let headBoxes {
      let boxes = try MATFile(contentsOf: headBoxes).headBoxes()
      guard boxes.count == entries.count else {
        throw Failure(.badData, at: headBoxes, "\(boxes.count) head boxes, but \(path) has \(entries.count) bodies",
                      remedy: "Take the head boxes and the annotations of the same part of the set.")
      }
      for (index, box) in boxes.enumerated() { entries[index].headBox = box }
    }
    // Numbers in the order in which pictures first occur, and their bodies side by side.
    var numbers: [String: Int] = [:]
    for entry in entries where numbers[entry.image] == nil { numbers[entry.image] = numbers.count + 1 }
    let bodies = entries.map { $0.body(number: numbers[$0.image] ?? 0, crop) }
    let order = bodies.indices.sorted { (bodies[$0].imageID, $0) < (bodies[$1].imageID, $1) }
    let note = "boxes: those of the annotations of \(path), \(bodies.count) bodies"
    try self.init(order.map { bodies[$0] }, nil, .mpii, images: folder, notes: [note])
  }
}

/// One body as the annotation file has it.
private struct MPIIEntry {
  let image: String
  let center: SIMD2<Double>
  let scale: Double
  let joints: [Keypoint]
  var headBox: BoundingBox?

  init(_ json: inout JSONScanner) throws {
    let start = json.placeOfNext
    var image: String?
    var center: [Double]?
    var scale: Double?
    var joints: [[Double]] = []
    var visibilities: [Double] = []
    var head: [Double] = []
    try json.object { json, key in
      switch key {
      case "image": image = try json.string()
      case "center": center = try json.numbers()
      case "scale": scale = try json.number()
      case "joints": joints = try json.list { try $0.numbers() }
      case "joints_vis": visibilities = try json.numbers()
      case "head_box": head = try json.numbers()
      default: try json.skip()
      }
    }
    self.image = try json.needed(image, "image", of: start)
    let middle = try json.needed(center, "center", of: start)
    self.scale = try json.needed(scale, "scale", of: start)
    let count = Skeleton.mpii.count
    guard middle.count == 2, self.scale > 0, self.scale.isFinite else { throw json.problem("a center or scale that is none", at: start) }
    guard joints.count == count, visibilities.count == count, joints.allSatisfy({ $0.count == 2 }) else {
      throw json.problem("\(joints.count) joints and \(visibilities.count) visibilities, expected \(count) of MPII", at: start)
    }
    self.center = SIMD2(middle[0], middle[1])
    // Pixels count from 1 there.
    self.joints = zip(joints, visibilities).map { place, visibility in
      visibility > 0 ? Keypoint(x: place[0] - 1, y: place[1] - 1, visibility: .visible) : .unlabeled
    }
    if head.count == 4 { headBox = BoundingBox(x0: head[0], y0: head[1], x1: head[2], y1: head[3]) }
  }

  /// The crop reaches lower than the annotated one, since that leaves out ankles.
  /// - Source: `MPIIDataset` of HRNet's authors.
  func body(number: Int, _ crop: PoseCrop) -> PoseSet.Body {
    let isKnown = center.x != -1
    let middle = SIMD2(center.x, isKnown ? center.y + 15 * scale : center.y) - 1
    let extent = Float(isKnown ? scale * crop.padding : scale)
    return PoseSet.Body(
      imageID: number, fileName: image, crop: BodyCrop(center: SIMD2<Float>(middle), scale: SIMD2(extent, extent)), keypoints: joints,
      category: 1, headBox: headBox)
  }
}
