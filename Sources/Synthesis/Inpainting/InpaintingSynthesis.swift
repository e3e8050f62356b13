import Base
import Foundation
import Vision

/// Synthetic pictures whose parts can be told from what surrounds them: rooms in perspective, façades with rows of windows, regular
/// surfaces, and simple faces.
///
/// Lines go on behind a hole, windows repeat, and faces are symmetrical. A sample is a pure function of the settings, the seed and its
/// index.
/// - Source: surfaces, light and camera are those of `FlowSynthesis`.
public struct InpaintingSynthesis: Codable, Sendable, Equatable, ImageSynthesis {
  /// Rows and columns of the images, px; at least 32.
  public var height = 128
  public var width = 128

  /// Shares of the kinds of pictures, in proportion to one another.
  public var rooms = 0.35
  public var facades = 0.3
  public var textures = 0.1
  public var faces = 0.25

  /// Largest standard deviation of sensor noise, grey levels of 255.
  public var noise = 2.0
  /// Largest standard deviation of the lens blur, px.
  public var blur = 0.5
  /// The masks of the validation pictures; widths of strokes count for 512 px and shrink with the picture.
  public var masks = FreeFormMask(.large512)

  public var images = DetectionSynthesis.ImageForm.png
  /// Of JPEG files, 1...100.
  public var quality = 92

  public init() {}

  /// What a picture shows.
  enum Subject: Sendable { case room, facade, texture, face }

  private var shares: [(subject: Subject, key: String, share: Double)] {
    [(.room, "rooms", rooms), (.facade, "facades", facades), (.texture, "textures", textures), (.face, "faces", faces)]
  }

  public func problems() -> [ConfigProblem] {
    var problems = sizeProblems
    for (_, key, share) in shares { problems.require((0...1000).contains(share), key, share, "0 to 1000") }
    problems.require(shares.contains { $0.share > 0 }, "rooms", rooms, "above 0, unless another share is")
    problems += masks.problems().map { ConfigProblem("masks.\($0.key)", $0.value, allowed: $0.allowed) }
    return problems + pictureProblems
  }

  /// One image.
  /// - Parameters:
  ///   - index: of the sample, 0 or more.
  ///   - seed: of the data set.
  public func sample(index: Int, seed: UInt64) -> Image {
    let surfaces = surfaces
    var random = Random(seed: seed, stream: .synthesis, sample: index)
    let scene = FlowScene(height: height, width: width, layers: layers(of: subject(&random), surfaces, &random))
    return developed(scene.render(second: false), index: index, seed: seed)
  }

  /// The mask of a validation picture.
  /// - Throws: `.usage` if the settings ask for holes that cannot be drawn.
  public func mask(index: Int, seed: UInt64) throws -> InpaintingMask {
    var random = Random(seed: seed, stream: .augmentation, sample: index)
    return try masks.scaled(by: Double(min(height, width)) / 512)(height: height, width: width, random: &random)
  }

  private func subject(_ random: inout Random) -> Subject {
    let sum = shares.reduce(0) { $0 + $1.share }
    return FlowSynthesis.draw(from: shares.map { ($0.subject, $0.share / sum) }, otherwise: .room, &random)
  }

  private func layers(of subject: Subject, _ surfaces: FlowSynthesis, _ random: inout Random) -> [SceneLayer] {
    switch subject {
    case .room: Room(surfaces, &random).layers(&random)
    case .facade: Facade(surfaces, &random).layers(&random)
    case .texture: [plane(surfaces, &random)]
    case .face: Face(surfaces, &random).layers(&random)
    }
  }

  /// A regular surface, seen at a slant.
  private func plane(_ surfaces: FlowSynthesis, _ random: inout Random) -> SceneLayer {
    let families: [(TextureFamily, Double)] = [
      (.masonry, 0.4), (.stripes, 0.25), (.weave, 0.1), (.dots, 0.2), (.mosaic, 0.05),
    ]
    let size = SIMD2(Double(width), Double(height))
    let family = FlowSynthesis.draw(from: families, otherwise: .masonry, &random)
    let texture = surfaces.plane(family, extent: size * 1.5, texel: 1, &random)
    let middle = SIMD2(Double(texture.width), Double(texture.height)) / 2
    let turn = Homography.about(middle, rotation: random.uniform(-0.6, 0.6), zoom: random.uniform(0.8, 1.6), shift: size / 2 - middle)
    let tilt = SIMD2(random.uniform(-1, 1), random.uniform(-1, 1)) * (0.35 / size.max())
    let place = Homography.tilted(tilt, about: size / 2).after(turn)
    var layer = SceneLayer(texture: texture, wraps: true, placement: place, motion: .identity)
    layer.reductions = texture.reductions(3)
    return layer
  }
}
