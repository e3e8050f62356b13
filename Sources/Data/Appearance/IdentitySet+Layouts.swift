import Base
import Vision

// Re-identification sets on the disk.

/// The part of a re-identification set.
public enum IdentityPart: String, Sendable, CaseIterable {
  case training, query, gallery
}

extension IdentitySet {
  /// Market-1501: `bounding_box_train`, `query`, `bounding_box_test` with pictures such as `0002_c1s1_000451_03.jpg`: identity, camera and
  /// sequence, frame, number of the box. Of the gallery `-1` is junk that no ranking counts and is left out; `0000` are distractors.
  /// - Throws: `.missingInput` if the folder, or every picture, is not there; `.badData` for other names.
  public static func market(_ root: String, _ part: IdentityPart) throws -> IdentitySet {
    let folder = Path.join(root, [.training: "bounding_box_train", .query: "query", .gallery: "bounding_box_test"][part] ?? "")
    let files = try pictures(in: folder, "Expected ROOT/{bounding_box_train, query, bounding_box_test}/0002_c1s1_000451_03.jpg")
    var junk = 0
    var crops: [IdentityCrop] = []
    for file in files {
      let parts = Path.stem(file).split(separator: "_", omittingEmptySubsequences: false).map(String.init)
      let view = parts.count >= 2 ? parts[1].split(separator: "s").map(String.init) : []
      guard parts.count >= 3, Int(parts[0]) != nil, let camera = view.first, camera.hasPrefix("c"), Int(camera.dropFirst()) != nil else {
        throw Failure(.badData, at: Path.join(folder, file),
                      "the name tells no identity and camera, expected one like 0002_c1s1_000451_03.jpg",
                      remedy: "Other pictures of objects go into one folder each: format: folders.")
      }
      if parts[0] == "-1" {
        junk += 1
        continue
      }
      var crop = IdentityCrop(path: Path.join(folder, file), identity: parts[0], name: Path.stem(file))
      (crop.camera, crop.tracklet) = (camera, parts[1])
      crops.append(crop)
    }
    return IdentitySet(crops, notes: junk > 0 ? ["\(folder): \(junk) pictures of nobody (-1) are left out, as the benchmark has it"] : [])
  }

  /// MARS: `bbox_train` and `bbox_test`, a folder for each identity, with pictures such as `0001C1T0002F003.jpg`: identity, camera,
  /// tracklet, frame. Identity `00-1` is junk and left out, `0000` are distractors.
  ///
  /// The benchmark's files `info/*.mat`, which say what tracklets are queries, are not read: the first tracklet of each identity at each
  /// camera is one, distractors are none.
  /// - Throws: as `market`.
  public static func mars(_ root: String, _ part: IdentityPart) throws -> IdentitySet {
    let layout = "Expected ROOT/{bbox_train, bbox_test}/0001/0001C1T0002F003.jpg"
    let folder = Path.join(root, part == .training ? "bbox_train" : "bbox_test")
    let people = try Folder.folders(in: folder)
    guard !people.isEmpty else { throw Failure(.missingInput, at: folder, "there is no folder of an identity in it", remedy: layout) }
    var crops: [IdentityCrop] = []
    for identity in people where identity != "00-1" {
      let place = Path.join(folder, identity)
      for file in try Folder.files(in: place, where: Folder.isPictureName) {
        guard let crop = marsCrop(file, identity, in: place) else {
          throw Failure(.badData, at: Path.join(place, file), "the name tells no identity, camera and tracklet of this folder",
                        remedy: layout)
        }
        crops.append(crop)
      }
    }
    guard !crops.isEmpty else { throw Failure(.missingInput, at: folder, "there is no picture in its folders", remedy: layout) }
    guard part != .training else { return IdentitySet(crops) }
    var first: [String: String] = [:]
    for crop in crops where crop.identity != "0000" {
      let key = "\(crop.identity)/\(crop.camera)"
      first[key] = min(first[key] ?? crop.tracklet, crop.tracklet)
    }
    let chosen = crops.filter { (first["\($0.identity)/\($0.camera)"] == $0.tracklet) == (part == .query) }
    let note = "\(root): info/*.mat is not read; queries are the first tracklets at each camera"
    return IdentitySet(chosen, notes: part == .query ? [note] : [])
  }

  /// A picture of MARS by its name.
  private static func marsCrop(_ file: String, _ identity: String, in place: String) -> IdentityCrop? {
    let stem = Path.stem(file)
    guard stem.hasPrefix(identity) else { return nil }
    let rest = stem.dropFirst(identity.count)
    guard rest.first == "C", let t = rest.firstIndex(of: "T"), let f = rest.firstIndex(of: "F"), t < f else { return nil }
    let (camera, tracklet, frame) = (rest[..<t].dropFirst(), rest[t..<f].dropFirst(), rest[f...].dropFirst())
    guard Int(camera) != nil, Int(tracklet) != nil, Int(frame) != nil else { return nil }
    var crop = IdentityCrop(path: Path.join(place, file), identity: identity, name: stem)
    (crop.camera, crop.tracklet) = ("c\(camera)", "t\(tracklet)")
    return crop
  }

  /// A folder for each identity, with pictures of it; cameras are not known.
  /// - Throws: `.missingInput` if there is no folder with a picture.
  public static func folders(_ root: String) throws -> IdentitySet {
    var crops: [IdentityCrop] = []
    for identity in try Folder.folders(in: root) {
      for file in try Folder.files(in: Path.join(root, identity), where: Folder.isPictureName) {
        crops.append(IdentityCrop(path: Path.join(root, identity, file), identity: identity, name: "\(identity)-\(Path.stem(file))"))
      }
    }
    guard !crops.isEmpty else {
      throw Failure(.missingInput, at: root, "there is no picture in folders below it", remedy: "Expected ROOT/IDENTITY/PICTURE.jpg")
    }
    return IdentitySet(crops)
  }

  private static func pictures(in folder: String, _ layout: String) throws -> [String] {
    guard try File.kind(at: folder) == .folder else { throw Failure(.missingInput, at: folder, "there is no such folder", remedy: layout) }
    let files = try Folder.files(in: folder, where: Folder.isPictureName)
    guard !files.isEmpty else { throw Failure(.missingInput, at: folder, "there is no picture in it", remedy: layout) }
    return files
  }
}

/// Which boxes of the ground truth of sequences are cut out.
public struct TruthCropping: Sendable, Equatable {
  /// Visible share of a box, at least.
  public var minVisibility = 0.5
  /// Height of a box, px, at least.
  public var minHeight = 32.0
  /// One frame of so many.
  public var every = 1
  /// Width by height of what is cut out around a box.
  public var aspect = 0.5

  public init() {}
}

extension IdentitySet {
  /// Boxes of the ground truth of a tracking benchmark: every pedestrian of a sequence that counts is an identity. Cameras are not
  /// known: all views of a pedestrian are from one sequence.
  /// Of sequences that differ in their detections only, the first one is read.
  /// - Parameter root: a sequence, or a folder of sequences.
  /// - Throws: what reading throws; `.missingInput` if no box is left.
  public static func sequences(_ root: String, _ cropping: TruthCropping = TruthCropping()) throws -> IdentitySet {
    var crops: [IdentityCrop] = []
    var left = 0
    var seen: Set<String> = []
    // MOT17 has every sequence three times, with the detections of three detectors: the people are the same.
    for sequence in try MOTSequence.all(in: root) where seen.insert(sequence.nameOfScene).inserted {
      let images = try sequence.images()
      for (index, boxes) in try sequence.truth().prefix(images.count).enumerated() where index % max(1, cropping.every) == 0 {
        for truth in boxes where truth.isEvaluatedPedestrian {
          guard truth.visibility >= cropping.minVisibility, truth.box.height >= cropping.minHeight else {
            left += 1
            continue
          }
          let identity = "\(sequence.nameOfScene)-\(truth.id)"
          var crop = IdentityCrop(path: images[index], identity: identity, name: "\(identity)-\(index + 1)")
          crop.box = truth.box.countedFromZero
          crop.tracklet = "\(truth.id)"
          crops.append(crop)
        }
      }
    }
    guard !crops.isEmpty else {
      throw Failure(.missingInput, at: root, "no box of the ground truth is visible and high enough",
                    remedy: "Choose a smaller min_visibility or min_height.")
    }
    return IdentitySet(crops, aspect: cropping.aspect,
                       notes: left > 0 ? ["\(root): \(left) boxes are hidden or too low and left out"] : [])
  }
}

extension MOTSequence {
  /// The name without that of the public detector: `MOT17-02-FRCNN` → `MOT17-02`.
  fileprivate var nameOfScene: String { detector.map { String(name.dropLast($0.count + 1)) } ?? name }
}
