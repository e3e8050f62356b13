import Base
import Data
import Synchronization
import Vision

/// What is written for generated figures.
public enum PoseLayout: String, ConfigChoice {
  /// COCO keypoints.
  case coco
}

extension PoseSynthesis {
  /// Writes samples in the layout of COCO keypoints.
  ///
  /// - `train/000001.jpg`, `val/…`: the images. Sample `index` has the id `index + 1` and this number as its name, in either folder.
  /// - `annotations/person_keypoints_train.json`, `person_keypoints_val.json`.
  ///
  /// Every file appears complete or not at all, the annotations last, and all are the same whatever the number of threads, so an
  /// interrupted call is simply repeated.
  /// - Parameters:
  ///   - count: images, 1...999,999.
  ///   - seed: of the data set.
  ///   - heldOutShare: share of the images, 0...1, in `val`; they are spread evenly.
  ///   - root: the folder to fill; made if missing.
  ///   - threads: at work at the same time; 0 takes one per processor.
  ///   - progress: called after each image with the number of those done, from any thread, one call at a time.
  /// - Throws: `.usage` for settings out of range; `.cannotCreate` if a folder cannot be made or holds other images; the failures of
  ///   `AtomicFile.write`.
  public func write(
    count: Int, seed: UInt64, heldOutShare: Double = 0.1, to root: String, threads: Int = 0,
    progress: @escaping @Sendable (_ done: Int) -> Void = { _ in }
  ) throws {
    try validate()
    guard (1...999_999).contains(count) else { throw Failure(.usage, at: "count", "found \(count), expected 1...999999 images") }
    guard (0...1).contains(heldOutShare) else { throw Failure(.usage, at: "heldOutShare", "found \(heldOutShare), expected 0...1") }
    let marks = FlowSynthesis.validationMarks(count: count, share: heldOutShare)
    let items = marks.enumerated().map { SceneItem(number: $0 + 1, split: $1 ? .val : .train, .coco, images) }
    let truths = Mutex([[PosedScene.Person]?](repeating: nil, count: count))
    try writeScenes(items.map(\.paths), of: "images", to: root, threads: threads, progress: progress) { index in
      let item = items[index]
      let scene = sample(index: index, seed: seed)
      let bytes = images == .jpeg ? JPEG.encode(scene.image, quality: quality) : PNG.encode(scene.image)
      try AtomicFile.write(bytes, to: Path.join(root, item.image))
      truths.withLock { $0[index] = scene.people }
    }
    let found = truths.withLock { $0.compactMap { $0 } }
    try File.createFolder(Path.join(root, "annotations"))
    for split in Split.allCases {
      try instances(items, found, split).write(to: Path.join(root, "annotations", "person_keypoints_\(split).json"))
    }
  }

  private func instances(_ items: [SceneItem], _ truths: [[PosedScene.Person]], _ split: Split) -> COCOInstances {
    var annotations: [COCOAnnotation] = []
    // Ids count over both parts, so that none occurs twice.
    var id = 0
    for (item, people) in zip(items, truths) {
      for person in people {
        id += 1
        guard item.split == split else { continue }
        let box = person.mask.boundingBox
        var annotation = COCOAnnotation(id: id, imageID: item.number, categoryID: 1, box: box, area: Double(person.mask.area))
        annotation.setPoints(person.keypoints)
        annotations.append(annotation)
      }
    }
    let images = items.filter { $0.split == split }.map { item in
      COCOImage(id: item.number, fileName: Path.name(item.image), height: height, width: width)
    }
    var category = COCOCategory(id: 1, name: "person", supercategory: "person")
    category.keypoints = Skeleton.coco.names
    category.limbs = Skeleton.coco.limbs
    return COCOInstances(path: "", images: images, categories: [category], annotations: annotations)
  }
}
