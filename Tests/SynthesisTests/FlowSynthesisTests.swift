import Base
import Data
import Foundation
import Synthesis
import Testing
import Vision

@Suite struct FlowSynthesisTests {
  /// Small scenes for the tests that need many.
  static let small: FlowSynthesis = {
    var settings = FlowSynthesis()
    (settings.height, settings.width) = (96, 128)
    (settings.smallestRadius, settings.largestRadius) = (6, 30)
    return settings
  }()

  /// Nothing but motion changes between the images.
  static func constant(_ settings: FlowSynthesis) -> FlowSynthesis {
    var settings = settings
    (settings.noise, settings.illumination, settings.shadow, settings.vignette) = (0, 0, 0, 0)
    (settings.movingShadowShare, settings.highlightShare, settings.fogShare, settings.jpegShare, settings.motionBlurShare) = (0, 0, 0, 0, 0)
    return settings
  }

  /// Flat scenes, scenes that bend, that lean, from a car.
  enum Kind: String, CaseIterable {
    case flat, bending, leaning, driving

    var settings: FlowSynthesis {
      var settings = FlowSynthesis()
      (settings.drivingShare, settings.deformingShare, settings.tiltShare, settings.gentleShare) = (0, 0, 0, 0)
      switch self {
      case .flat: break
      case .bending: (settings.deformingShare, settings.deformation) = (1, 0.06)
      case .leaning: settings.tiltShare = 1
      case .driving: settings.drivingShare = 1
      }
      return settings
    }
  }

  @Test func sampleIsAFunctionOfSeedAndIndex() {
    let first = Self.small.sample(index: 3, seed: 5), again = Self.small.sample(index: 3, seed: 5)
    #expect(first.image1 == again.image1 && first.image2 == again.image2 && first.flow == again.flow)
    for other in [Self.small.sample(index: 4, seed: 5), Self.small.sample(index: 3, seed: 6)] {
      #expect(other.image1 != first.image1 && other.image2 != first.image2 && other.flow != first.flow)
    }
    #expect(first.image1.channels == 3 && first.image1.height == 96 && first.image1.width == 128)
    #expect(first.flow.height == 96 && first.flow.width == 128 && first.flow.isValid.allSatisfy { $0 })
  }

  @Test func sizesNeedNotBeEvenOrSquare() {
    var settings = FlowSynthesis()
    for (height, width) in [(32, 32), (33, 131), (200, 47)] {
      (settings.height, settings.width) = (height, width)
      let sample = settings.sample(index: 0, seed: 1)
      #expect(sample.image2.height == height && sample.image2.width == width && sample.flow.vectors.count == 2 * height * width)
    }
  }

  /// The promise of the data: image 2 at the end of a vector shows what image 1 shows at its start.
  ///
  /// Judged where the surface is visible in both images and no edge is near. What remains is bilinear interpolation of image 2 (the
  /// pictures have detail up to the pixel grid, so some levels on average) and rounding to 8 bits.
  @Test(arguments: Kind.allCases)
  func warpingTheSecondImageGivesTheFirst(kind: Kind) {
    let settings = Self.constant(kind.settings)
    var seen = 0.0, frames = 0.0, warped = 0.0, unmoved = 0.0
    for index in 0..<10 {
      let (image1, image2, flow) = settings.sample(index: index, seed: 7)
      let scene = settings.scene(index: index, seed: 7)
      let first = scene.render(second: false).owners, second = scene.render(second: true).owners
      let back = image2.warped(by: flow)
      var count = 0.0, change = 0.0, rest = 0.0
      for y in 0..<flow.height {
        for x in 0..<flow.width where isVisible(y, x, flow, first, second) {
          let pixel = y * flow.width + x
          let here = image1.grey(pixel)
          rest += abs(here - back.grey(pixel))
          change += abs(here - image2.grey(pixel))
          count += 1
        }
      }
      #expect(rest / max(1, count) < 5, "sample \(index): mean grey difference; real data sets have 1.3 to 6.5")
      seen += count
      frames += Double(flow.height * flow.width)
      warped += rest
      unmoved += change
    }
    #expect(seen > 0.3 * frames, "much of the frames must be visible in both images, found \(seen / frames)")
    #expect(warped < 0.35 * unmoved, "warping must explain the change: \(warped / seen), unmoved \(unmoved / seen)")
  }

  /// The flow back from image 2 ends where the flow to it began, wherever the same surface is on top.
  @Test(arguments: Kind.allCases)
  func flowsThereAndBackCancel(kind: Kind) {
    let settings = kind.settings
    for index in 0..<4 {
      let scene = settings.scene(index: index, seed: 5)
      let first = scene.render(second: false).owners, there = scene.flow(owners: first)
      // The exact inverse at the exact target, not at the nearest pixel.
      var worst = 0.0
      for pixel in stride(from: 0, to: first.count, by: 61) {
        let p = SIMD2(Double(pixel % scene.width), Double(pixel / scene.width))
        let layer = scene.layers[Int(first[pixel])]
        let target = layer.target(of: p)
        let miss: SIMD2<Double> = layer.source(of: target) - p, written = SIMD2(Double(there[2 * pixel]), Double(there[2 * pixel + 1]))
        let gap: SIMD2<Double> = target - p - written
        worst = max(worst, (miss * miss).sum().squareRoot(), (gap * gap).sum().squareRoot())
      }
      #expect(worst < 2e-3, "sample \(index): \(worst) px")
    }
  }

  @Test func everyKindMovesWithinItsLimit() {
    for kind in Kind.allCases {
      let settings = kind.settings
      for index in 0..<6 {
        let scene = settings.scene(index: index, seed: 13)
        let flow = scene.flow(owners: scene.render(second: false).owners)
        let largest = flow.map(abs).max() ?? 0
        #expect(flow.allSatisfy(\.isFinite) && Double(largest) < 4 * settings.maximumMotion, "\(kind), sample \(index): \(largest) px")
      }
    }
  }

  @Test func gentleScenesMoveByFractionsOfAPixel() {
    var settings = Self.small
    settings.gentleShare = 1
    let medians = (0..<30).map { index -> Float in
      let scene = settings.scene(index: index, seed: 4)
      let flow = scene.flow(owners: scene.render(second: false).owners)
      let lengths = (0..<flow.count / 2).map { pixel -> Float in
        let vector = SIMD2<Float>(flow[2 * pixel], flow[2 * pixel + 1])
        return (vector * vector).sum().squareRoot()
      }
      return lengths.sorted()[lengths.count / 2]
    }.sorted()
    #expect((0.05...1.2).contains(medians[15]), "\(medians)")
    #expect(medians[27] < 5)
  }

  /// Whether one surface covers the 7x7 pixels around (x, y) in image 1 and around its target in image 2: the lens blur reaches two.
  private func isVisible(_ y: Int, _ x: Int, _ flow: FlowField, _ first: [Int16], _ second: [Int16]) -> Bool {
    let (u, v) = flow[y, x]
    let tx = Int((Float(x) + u).rounded()), ty = Int((Float(y) + v).rounded())
    guard [x, tx].allSatisfy({ $0 >= 3 && $0 < flow.width - 3 }), [y, ty].allSatisfy({ $0 >= 3 && $0 < flow.height - 3 }) else { return false }
    let owner = first[y * flow.width + x]
    for dy in -3...3 {
      for dx in -3...3 {
        guard first[(y + dy) * flow.width + x + dx] == owner, second[(ty + dy) * flow.width + tx + dx] == owner else { return false }
      }
    }
    return true
  }

  @Test func magnitudesAreHeavyTailedAndBounded() {
    let settings = FlowSynthesis()
    var lengths: [Float] = [], means: [Double] = []
    for index in 0..<32 {
      let scene = settings.scene(index: index, seed: 11)
      let flow = scene.flow(owners: scene.render(second: false).owners)
      var sum = 0.0
      for pixel in 0..<flow.count / 2 {
        let vector = SIMD2<Float>(flow[2 * pixel], flow[2 * pixel + 1])
        let length: Float = (vector * vector).sum().squareRoot()
        sum += Double(length)
        if pixel % 37 == 0 { lengths.append(length) }
      }
      means.append(sum / Double(flow.count / 2))
    }
    lengths.sort()
    let mean = means.reduce(0, +) / Double(means.count)
    // The real pairs of the manifest have means of 1.3 to 9 px.
    #expect((3...9).contains(mean), "mean \(mean) px")
    #expect((1...6).contains(lengths[lengths.count / 2]), "median \(lengths[lengths.count / 2]) px")
    #expect((16...60).contains(lengths[lengths.count * 99 / 100]), "99 % \(lengths[lengths.count * 99 / 100]) px")
  }

  @Test func backgroundsStandStillAsOftenAsAskedFor() {
    var settings = Kind.flat.settings
    settings.staticShare = 0.2
    (settings.height, settings.width, settings.fewestObjects, settings.mostObjects) = (32, 32, 0, 0)
    let still = (0..<300).count { index in
      let motion = settings.scene(index: index, seed: 3).layers[0].motion
      let corners: [SIMD2<Double>] = [SIMD2(0, 0), SIMD2(32, 0), SIMD2(0, 32), SIMD2(32, 32)]
      return corners.allSatisfy { corner in
        let move: SIMD2<Double> = motion.displacement(at: corner)
        return abs(move.x) <= 0.51 && abs(move.y) <= 0.51
      }
    }
    // 60 of 300 expected with a deviation of 7 (binomial), and a few that move little by themselves.
    #expect((35...95).contains(still), "found \(still)")
  }

  @Test func lightNoiseAndShadowChangePicturesButNotTheFlow() {
    let index = 1
    let plain = Self.constant(Self.small).sample(index: index, seed: 2), full = Self.small.sample(index: index, seed: 2)
    #expect(plain.flow == full.flow)
    #expect(plain.image2 != full.image2)
  }

  @Test func settingsOutOfRangeAreNamed() {
    func problem(_ change: (inout FlowSynthesis) -> Void) -> String {
      var settings = FlowSynthesis()
      change(&settings)
      let keys = settings.problems().map(\.key).joined(separator: ", ")
      #expect((try? settings.validate()) == nil || keys.isEmpty)
      return keys
    }
    #expect(problem { _ in } == "")
    #expect(problem { $0.height = 8 }.contains("height"))
    #expect(problem { $0.mostObjects = 1 }.contains("most_objects"))
    #expect(problem { $0.staticShare = 1.5 }.contains("static_share"))
    #expect(problem { $0.blur = 2 }.contains("blur"))
    #expect(problem { $0.maximumMotion = 0 }.contains("maximum_motion"))
    #expect(problem { $0.steepestSpectrum = 0.1 }.contains("steepest_spectrum"))
    #expect(problem { $0.noise = .nan }.contains("noise"))
    #expect(problem { $0.drivingShare = -0.1 }.contains("driving_share"))
    #expect(problem { $0.deformation = 0.2 }.contains("deformation"))
    #expect(problem { $0.defocus = 0.5 }.contains("defocus"))
    #expect(problem { $0.motionBlur = 1.5 }.contains("motion_blur"))
  }

  @Test func settingsSurviveCoding() throws {
    let decoded = try JSONDecoder().decode(FlowSynthesis.self, from: JSONEncoder().encode(Self.small))
    #expect(decoded == Self.small)
  }
}

extension Image {
  /// The luminance of a pixel of an RGB image, 0...255.
  func grey(_ pixel: Int) -> Double {
    let red = Double(pixels[3 * pixel]), green = Double(pixels[3 * pixel + 1]), blue = Double(pixels[3 * pixel + 2])
    return 0.299 * red + 0.587 * green + 0.114 * blue
  }
}
