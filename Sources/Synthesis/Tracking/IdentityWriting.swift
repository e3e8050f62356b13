import Base
import Data
import Foundation
import Vision

/// A picture of a person, and its file below the root.
private struct IdentityPicture: Sendable {
  let identity: Int
  /// From 0.
  let camera: Int
  let shot: Int
  let path: String

  init(identity: Int, camera: Int, shot: Int, shots: Int, isHeldOut: Bool) {
    (self.identity, self.camera, self.shot) = (identity, camera, shot)
    // The first picture of a person under each camera is a query for all the others.
    let folder = !isHeldOut ? "bounding_box_train" : shot == 0 ? "query" : "bounding_box_test"
    let frame = 1 + 25 * (identity * shots + shot)
    path = "\(folder)/\((identity + 1).padded(to: 4))_c\(camera + 1)s1_\(frame.padded(to: 6))_\((shot + 1).padded(to: 2)).jpg"
  }
}

extension TrackingSynthesis {
  /// Rows and columns of the pictures of single persons.
  public static let pictureSize = (height: 128, width: 64)

  /// Writes pictures of single persons in the layout of Market-1501: `bounding_box_train`, `query` and `bounding_box_test` with names such
  /// as `0001_c1s1_000151_01.jpg` (identity, camera, sequence, frame, box). Persons of the test are no persons of the training. Each camera
  /// has a light and tones of its own; some persons are partly hidden, and boxes are not exact.
  ///
  /// Files are as those of `writeSequences`: complete or not at all, the same for any number of threads.
  /// - Parameters:
  ///   - count: persons, 1...9,999; each has `cameras` times `shots` pictures.
  ///   - heldOutShare: share of the persons, 0...1, for the test; they are spread evenly.
  /// - Throws: as `writeSequences`.
  public func writeIdentities(
    count: Int, seed: UInt64, heldOutShare: Double = 0.1, to root: String, threads: Int = 0,
    progress: @escaping @Sendable (_ done: Int) -> Void = { _ in }
  ) throws {
    try validate()
    guard (1...9999).contains(count) else { throw Failure(.usage, at: "count", "found \(count), expected 1...9999 persons") }
    let isHeldOut = try Split.ofImages(count: count, heldOutShare: heldOutShare).map { $0 == .val }
    let pictures = (0..<count).map { identity in
      (0..<cameras).flatMap { camera in
        (0..<shots).map { IdentityPicture(identity: identity, camera: camera, shot: $0, shots: shots, isHeldOut: isHeldOut[identity]) }
      }
    }
    let photographs = (0..<cameras).map { photograph(camera: $0, seed: seed) }
    for folder in ["bounding_box_train", "query", "bounding_box_test"] { try File.createFolder(Path.join(root, folder)) }
    try writeScenes(pictures.map { $0.map(\.path) }, of: "persons", to: root, threads: threads, progress: progress) { identity in
      for picture in pictures[identity] {
        let image = portrait(picture, photographs[picture.camera], seed)
        try AtomicFile.write(JPEG.encode(image, quality: quality), to: Path.join(root, picture.path))
      }
    }
  }

  private static let identityEpoch = 5000

  /// Light and tones of a camera.
  private func photograph(camera: Int, seed: UInt64) -> CameraModel {
    var surfaces = surfaces
    surfaces.toneSpread = lighting
    return surfaces.cameras(index: Self.identityEpoch + camera, seed: seed, frames: 1)[0]
  }

  /// One picture of a person: in a step of its own, before a background of its own, maybe partly hidden.
  private func portrait(_ picture: IdentityPicture, _ photograph: CameraModel, _ seed: UInt64) -> Image {
    var clothes = Random(seed: seed, stream: .synthesis, epoch: Self.identityEpoch, sample: picture.identity)
    let wardrobe = Wardrobe(&clothes)
    let number = (picture.identity * cameras + picture.camera) * shots + picture.shot
    var random = Random(seed: seed, stream: .synthesis, epoch: Self.identityEpoch + 1, sample: number)
    var scene = self
    scene.height = 2 * Int(exp(random.uniform(log(28), log(100))))
    scene.width = scene.height / 2
    let size = SIMD2(Double(scene.width), Double(scene.height))
    let surfaces = scene.surfaces
    var layers = scene.backdrop.background(surfaces, &random).layers
    let height = size.y * random.uniform(0.84, 0.98)
    let foot = SIMD2(size.x * random.uniform(0.4, 0.6), (size.y + height) / 2 + size.y * random.uniform(-0.03, 0.03))
    let person = Walker(size: height, wardrobe, &clothes).layers(foot: foot, height: height, Self.gait(&random))
    let others = Self.neighbours(about: foot, height, &random)
    layers += others.behind + person + others.before
    if random.chance(0.2) { layers.append(Self.occluder(size, surfaces, &random)) }
    let frame = FlowScene(height: scene.height, width: scene.width, layers: layers).render(second: false)
    let noise = surfaces.source(.noise, 1, number, seed)
    let image = photograph.develop(frame.colors, height: scene.height, width: scene.width, noise)
    return image.resizedAntialiased(height: Self.pictureSize.height, width: Self.pictureSize.width)
  }

  private static func gait(_ random: inout Random) -> Walker.Gait {
    Walker.Gait(phase: random.uniform(0, 2 * .pi), vigour: random.chance(0.8) ? 1 : 0, heading: random.chance(0.5) ? 1 : -1)
  }

  /// Another person beside, behind or before, in some pictures.
  private static func neighbours(
    about foot: SIMD2<Double>, _ height: Double, _ random: inout Random
  ) -> (behind: [SceneLayer], before: [SceneLayer]) {
    guard random.chance(0.3) else { return ([], []) }
    let isBefore = random.chance(0.4)
    let side = random.chance(0.5) ? 1.0 : -1
    let shift = SIMD2(side * height * random.uniform(0.16, 0.34), height * (isBefore ? 1 : -1) * random.uniform(0.01, 0.08))
    let size = height * (isBefore ? 1.05 : 0.95)
    let walker = Walker(size: size, Wardrobe(&random), &random)
    let layers = walker.layers(foot: foot + shift, height: size, gait(&random))
    return isBefore ? ([], layers) : (layers, [])
  }

  /// A thing that hides a part at one side or below.
  private static func occluder(_ size: SIMD2<Double>, _ surfaces: FlowSynthesis, _ random: inout Random) -> SceneLayer {
    let isBelow = random.chance(0.4)
    let share = random.uniform(0.1, 0.35)
    let side = random.chance(0.5) ? 0.0 : 1
    let outline = Outline.panel(width: size.x * (isBelow ? 2 : 2 * share), height: size.y * (isBelow ? 2 * share : 2))
    let object = SceneObject(outline: outline, family: surfaces.objectFamily(&random), exponent: surfaces.spectrum(&random))
    let middle = isBelow ? SIMD2(size.x / 2, size.y) : SIMD2(side * size.x, size.y / 2)
    return object.layer(placement: .shift(middle), motion: .identity, &random)
  }
}
