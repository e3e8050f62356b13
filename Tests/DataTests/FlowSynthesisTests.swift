import Data
import Foundation
import Tensors
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
    (settings.noise, settings.illumination, settings.shadow) = (0, 0, 0)
    return settings
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
  @Test(arguments: [0, 1, 2, 5, 8])
  func warpingTheSecondImageGivesTheFirst(index: Int) {
    let settings = Self.constant(FlowSynthesis())
    let (image1, image2, flow) = settings.sample(index: index, seed: 7)
    let scene = settings.scene(index: index, seed: 7)
    let first = scene.render(second: false).owners, second = scene.render(second: true).owners
    let back = image2.warped(by: flow)
    var warped = 0.0, unmoved = 0.0, count = 0.0
    for y in 0..<flow.height {
      for x in 0..<flow.width where isVisible(y, x, flow, first, second) {
        let pixel = y * flow.width + x
        let here = image1.grey(pixel)
        warped += abs(here - back.grey(pixel))
        unmoved += abs(here - image2.grey(pixel))
        count += 1
      }
    }
    #expect(count > 0.4 * Double(flow.height * flow.width), "most of the frame must be visible in both images, found \(count) px")
    #expect(warped / count < 3, "mean grey difference; real data sets have 1.3 to 5.8")
    #expect(warped < 0.4 * unmoved || unmoved / count < 1, "warping must explain the change: \(warped / count), unmoved \(unmoved / count)")
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
    for index in 0..<24 {
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
    #expect((1.5...7).contains(lengths[lengths.count / 2]), "median \(lengths[lengths.count / 2]) px")
    #expect((14...40).contains(lengths[lengths.count * 99 / 100]), "99 % \(lengths[lengths.count * 99 / 100]) px")
    // An object adds its own motion to the background's, which zooms and turns it by little more than 1.
    #expect(lengths[lengths.count - 1] < 2.2 * Float(settings.maximumMotion))
  }

  @Test func backgroundsStandStillAboutOneTimeInFive() {
    var settings = FlowSynthesis()
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
      do {
        try settings.validate()
        return ""
      } catch { return (error as? Failure)?.place ?? "?" }
    }
    #expect(problem { _ in } == "")
    #expect(problem { $0.height = 8 }.contains("height"))
    #expect(problem { $0.mostObjects = 1 }.contains("mostObjects"))
    #expect(problem { $0.staticShare = 1.5 }.contains("staticShare"))
    #expect(problem { $0.blur = 2 }.contains("blur"))
    #expect(problem { $0.maximumMotion = 0 }.contains("maximumMotion"))
    #expect(problem { $0.steepestSpectrum = 0.1 }.contains("steepestSpectrum"))
    #expect(problem { $0.noise = .nan }.contains("noise"))
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
