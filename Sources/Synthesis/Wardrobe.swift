import Base

/// Colours and textures of one figure.
struct Wardrobe: Sendable {
  private var tones: [SIMD3<Float>]
  private var families: [TextureFamily]
  private var seeds: [Random]
  /// Exponent of the luminance's amplitude spectrum.
  let exponent: Double

  init(_ random: inout Random) {
    let pale = SIMD3<Float>(232, 190, 165)
    let dark = SIMD3<Float>(92, 60, 45)
    let skin = pale + (dark - pale) * Float(random.uniform())
    let (shirt, trousers) = (Self.cloth(&random), Self.cloth(&random))
    let hasSleeves = random.chance(0.5)
    let hasLongTrousers = random.chance(0.6)
    let hair = SIMD3<Float>(40, 30, 25) + SIMD3<Float>(150, 115, 60) * Float(random.uniform() * random.uniform())
    let (shoe, exponent) = (Self.cloth(&random), random.uniform(1, 1.6))
    let patterns: [TextureFamily] = [.smooth, .smooth, .weave, .stripes, .patches, .grain]
    let (upper, lower) = (patterns[random.integer(in: 0..<patterns.count)], patterns[random.integer(in: 0..<patterns.count)])
    var tones: [SIMD3<Float>] = []
    var families: [TextureFamily] = []
    for cover in Figure.Cover.allCases {
      switch cover {
      case .skin: (tones, families) = (tones + [skin], families + [.smooth])
      case .shirt: (tones, families) = (tones + [shirt], families + [upper])
      case .sleeve: (tones, families) = (tones + [hasSleeves ? shirt : skin], families + [hasSleeves ? upper : .smooth])
      case .trousers: (tones, families) = (tones + [trousers], families + [lower])
      case .leg: (tones, families) = (tones + [hasLongTrousers ? trousers : skin], families + [hasLongTrousers ? lower : .smooth])
      case .shoe: (tones, families) = (tones + [shoe], families + [.smooth])
      case .hair: (tones, families) = (tones + [hair], families + [.strands])
      case .eye: (tones, families) = (tones + [SIMD3(30, 28, 32)], families + [.smooth])
      case .lip: (tones, families) = (tones + [skin * SIMD3(0.78, 0.6, 0.58)], families + [.smooth])
      }
    }
    self.tones = tones
    self.families = families
    self.exponent = exponent
    seeds = Figure.Cover.allCases.map { _ in Random(seed: random.next(), stream: .synthesis) }
  }

  /// A colour of any hue.
  static func cloth(_ random: inout Random) -> SIMD3<Float> {
    let level = random.uniform(45, 205)
    let hue = SIMD3(random.normal(), random.normal(), random.normal()) * random.uniform(10, 55)
    return SIMD3<Float>((SIMD3(repeating: level) + hue).clamped(lowerBound: SIMD3(repeating: 15), upperBound: SIMD3(repeating: 240)))
  }

  /// Clothes more like those of another figure: colours between both, and its textures with a probability.
  /// - Parameter similarity: 0 changes nothing, 1 takes over the other's clothes.
  func closer(to other: Wardrobe, by similarity: Double, _ random: inout Random) -> Wardrobe {
    var mixed = self
    for cover in tones.indices {
      mixed.tones[cover] += (other.tones[cover] - tones[cover]) * Float(similarity)
      if random.chance(similarity) {
        mixed.families[cover] = other.families[cover]
        mixed.seeds[cover] = other.seeds[cover]
      }
    }
    return mixed
  }

  func tone(_ cover: Figure.Cover) -> SIMD3<Float> { tones[cover.rawValue] }
  func family(_ cover: Figure.Cover) -> TextureFamily { families[cover.rawValue] }
  func source(_ cover: Figure.Cover) -> Random { seeds[cover.rawValue] }
}
