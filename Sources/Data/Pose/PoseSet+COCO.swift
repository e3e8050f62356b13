import Base
import Vision

extension PoseSet {
  /// The bodies of a file of COCO keypoints.
  ///
  /// With the boxes of the annotations: those of bodies that are no crowd and have a labelled keypoint, cut at the picture's edges and a
  /// pixel smaller, as the authors take them; what has no area is left out. Points outside the picture count as not labelled.
  /// With boxes of a file: all of the categories with keypoints, as they are.
  /// - Parameters:
  ///   - folder: that of the images.
  ///   - crop: says how far the network looks around a box.
  /// - Throws: `.missingInput`, `.badData` if a file is gone or broken, does not fit the skeleton or the images, or has no body.
  public init(coco path: String, images folder: String, boxes: Boxes = .annotations, _ skeleton: Skeleton, _ crop: PoseCrop) throws {
    let instances = try COCOInstances(contentsOf: path, segmentations: .skipped)
    try instances.requireKeypoints(of: skeleton)
    let (bodies, notes) = switch boxes {
    case .annotations: instances.annotatedBodies(skeleton, crop)
    case .file(let file, let threshold): try instances.detectedBodies(file, threshold, skeleton, crop)
    }
    guard !bodies.isEmpty else {
      throw Failure(.badData, at: path, "there is no body with a box and a labelled keypoint in this file",
                    remedy: "apus data check CONFIG says what is wrong with the data.")
    }
    try self.init(bodies, instances, skeleton, images: folder, notes: notes)
  }
}

extension COCOInstances {
  /// The skeleton that the file's category with keypoints states.
  /// - Throws: `.badData` if none does, or two do that differ.
  public func skeleton() throws -> Skeleton {
    let listed = keypointCategories
    guard let category = listed.first, !category.keypoints.isEmpty else {
      throw Failure(.badData, at: path, "no category lists keypoints",
                    remedy: "Add 'keypoints' (their names) to the category, or name them in the config's section skeleton.")
    }
    if let other = listed.first(where: { $0.keypoints != category.keypoints }) {
      throw Failure(.badData, at: path, "the categories '\(category.name)' and '\(other.name)' have different keypoints",
                    remedy: "A network learns one kind of skeleton: give each category a file of its own.")
    }
    return Skeleton(names: category.keypoints, limbs: category.limbs)
  }

  /// - Throws: `.usage` if the file's bodies have another number of keypoints than the skeleton, `.badData` if one of them has.
  fileprivate func requireKeypoints(of skeleton: Skeleton) throws {
    let categories = keypointCategories
    guard !categories.isEmpty else { throw Failure(.badData, at: path, "there are no keypoints in this file") }
    let ids = Set(categories.map(\.id))
    let bodies = annotations.filter { ids.contains($0.categoryID) && !$0.keypoints.isEmpty }
    let listed = categories[0].keypoints.count
    let common = listed > 0 ? listed : (bodies.first?.keypoints.count ?? 0) / 3
    guard common == skeleton.count || common == 0 else {
      throw Failure(.usage, at: "model.keypoints", "\(skeleton.count) keypoints, but the bodies of \(path) have \(common)",
                    remedy: "Set model.keypoints to 0 and skeleton.kind to data: the skeleton of the file.")
    }
    for body in bodies { try Self.require(body.keypoints, of: skeleton, "\(path): annotation \(body.id)") }
  }

  fileprivate func annotatedBodies(_ skeleton: Skeleton, _ crop: PoseCrop) -> (bodies: [PoseSet.Body], notes: [String]) {
    let categories = Set(keypointCategories.map(\.id))
    let annotations = annotationsByImage()
    var bodies: [PoseSet.Body] = []
    var boxless: [String] = []
    for image in images {
      for annotation in annotations[image.id] ?? [] where !annotation.isCrowd && categories.contains(annotation.categoryID) {
        let points = annotation.points.map { annotation.isOutside($0, image) ? .unlabeled : $0 }
        guard points.contains(where: \.isLabeled) else { continue }
        guard annotation.area > 0, let box = annotation.box.sanitized(width: image.width, height: image.height) else {
          boxless.append("\(annotation.id)")
          continue
        }
        bodies.append(PoseSet.Body(
          imageID: image.id, fileName: image.fileName, crop: crop.crop(around: box), keypoints: points, category: annotation.categoryID))
      }
    }
    let origin = "boxes: those of the annotations of \(path), \(bodies.count) bodies"
    return (bodies, [origin] + PoseSet.note(boxless, "annotations without area"))
  }

  fileprivate func detectedBodies(
    _ file: String, _ threshold: Double, _ skeleton: Skeleton, _ crop: PoseCrop
  ) throws -> (bodies: [PoseSet.Body], notes: [String]) {
    let results = try COCOResults.read(file)
    try COCOResults.check(results, at: file, against: self)
    let categories = Set(keypointCategories.map(\.id))
    let byImage = Dictionary(grouping: results.enumerated()) { $1.imageID }
    var bodies: [PoseSet.Body] = []
    var empty: [String] = []
    for image in images {
      for (index, result) in byImage[image.id] ?? [] where categories.contains(result.categoryID) && result.score >= threshold {
        guard let box = result.box else { throw Failure(.badData, at: "\(file): result \(index)", "there is no 'bbox'") }
        guard box.isFinite, !box.isEmpty else {
          empty.append("\(index)")
          continue
        }
        bodies.append(PoseSet.Body(
          imageID: image.id, fileName: image.fileName, crop: crop.crop(around: box), keypoints: skeleton.names.map { _ in .unlabeled },
          category: result.categoryID, score: result.score))
      }
    }
    let origin = "boxes: \(file), \(bodies.count) of score \(threshold) or more"
    return (bodies, [origin] + PoseSet.note(empty, "boxes without area in \(file)"))
  }
}

extension PoseSet {
  /// A line about what was left out; none if there is nothing.
  static func note(_ ids: [String], _ what: String) -> [String] {
    ids.isEmpty ? [] : ["left out: \(ids.count) \(what) (\(someOf(ids)))"]
  }
}
