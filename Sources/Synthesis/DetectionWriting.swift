import Base
import Data
import Vision

/// What is written for generated detection scenes.
public enum DetectionLayout: String, ConfigChoice {
  /// Instances: boxes and masks.
  case coco
  /// Instances, and panoptic maps with their segments.
  case cocoPanoptic = "coco_panoptic"
}

extension DetectionSynthesis {
  /// Writes samples in the layout of COCO.
  ///
  /// - `train/000001.jpg`, `val/…`: the images. Sample `index` has the id `index + 1` and this number as its name, in either folder.
  /// - `annotations/instances_train.json`, `instances_val.json`.
  /// - `annotations/panoptic_train.json` and `panoptic_train/000001.png`, the same for `val`, if the layout has them.
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
    _ layout: DetectionLayout = .coco, count: Int, seed: UInt64, heldOutShare: Double = 0.1, to root: String, threads: Int = 0,
    progress: @escaping @Sendable (_ done: Int) -> Void = { _ in }
  ) throws {
    try validate()
    let splits = try Split.ofImages(count: count, heldOutShare: heldOutShare)
    let items = splits.enumerated().map { SceneItem(number: $0 + 1, split: $1, layout, images) }
    let truths = try items.write(to: root, threads: threads, progress: progress) { item, index -> SceneTruth in
      let scene = sample(index: index, seed: seed)
      try AtomicFile.write(images.encode(scene.image, quality: quality), to: Path.join(root, item.image))
      var truth = SceneTruth(objects: scene.objects)
      if let path = item.map {
        let panoptic = scene.panoptic
        try panoptic.map.colors.write(to: Path.join(root, path))
        truth.segments = panoptic.segments
      }
      return truth
    }
    for split in Split.allCases {
      try instances(items, truths, split).write(to: Path.join(root, "annotations", "instances_\(split).json"))
      if layout == .cocoPanoptic { try panoptic(items, truths, split).write(to: Path.join(root, "annotations", "panoptic_\(split).json")) }
    }
  }

  private func instances(_ items: [SceneItem], _ truths: [SceneTruth], _ split: Split) -> COCOInstances {
    var annotations: [COCOAnnotation] = []
    // Ids count over both parts, so that none occurs twice.
    var id = 0
    for (item, truth) in zip(items, truths) {
      for object in truth.objects {
        id += 1
        guard item.split == split else { continue }
        let mask = object.mask
        annotations.append(COCOAnnotation(
          id: id, imageID: item.number, categoryID: object.shape.categoryID, box: mask.boundingBox, area: Double(mask.area),
          segmentation: masks == .rle ? .runLengths(mask) : .polygons(mask.polygons)))
      }
    }
    return COCOInstances(
      path: "", images: items.images(of: split, height: height, width: width), categories: things, annotations: annotations)
  }

  private func panoptic(_ items: [SceneItem], _ truths: [SceneTruth], _ split: Split) -> COCOPanoptic {
    let annotations = zip(items, truths).filter { $0.0.split == split }.map { item, truth in
      COCOPanoptic.Annotation(imageID: item.number, fileName: "\(item.name).png", segments: truth.segments)
    }
    return COCOPanoptic(
      path: "", images: items.images(of: split, height: height, width: width), categories: things + stuff, annotations: annotations)
  }

  private var things: [COCOCategory] {
    shapes.map { COCOCategory(id: $0.categoryID, name: $0.rawValue, supercategory: "shape") }
  }

  private var stuff: [COCOCategory] {
    StuffClass.allCases.map {
      COCOCategory(id: $0.categoryID, name: $0.rawValue, supercategory: "background", isThing: false)
    }
  }
}

/// What the annotations say about one image.
private struct SceneTruth: Sendable {
  let objects: [LabeledScene.Object]
  var segments: [PanopticSegment] = []
}
