import Base
import Data
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
    let splits = try Split.ofImages(count: count, heldOutShare: heldOutShare)
    let items = splits.enumerated().map { SceneItem(number: $0 + 1, split: $1, .coco, images) }
    let truths = try items.write(to: root, threads: threads, progress: progress) { item, index -> [PosedScene.Person] in
      let scene = sample(index: index, seed: seed)
      try AtomicFile.write(images.encode(scene.image, quality: quality), to: Path.join(root, item.image))
      return scene.people
    }
    for split in Split.allCases {
      try instances(items, truths, split).write(to: Path.join(root, "annotations", "person_keypoints_\(split).json"))
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
    var category = COCOCategory(id: 1, name: "person", supercategory: "person")
    category.keypoints = Skeleton.coco.names
    category.limbs = Skeleton.coco.limbs
    return COCOInstances(
      path: "", images: items.images(of: split, height: height, width: width), categories: [category], annotations: annotations)
  }
}
