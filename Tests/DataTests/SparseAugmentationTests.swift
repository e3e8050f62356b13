import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

private func random(_ sample: Int) -> Random { Random(seed: 11, stream: .augmentation, epoch: 2, sample: sample) }

/// Half of the vectors known, and no two alike.
private func sparseSample(height: Int, width: Int, seed: UInt64 = 1) -> FlowSample {
  var random = Random(seed: seed, stream: .test)
  var flow = FlowField(height: height, width: width, vectors: (0..<2 * height * width).map { Float($0 + 1) / 8 })
  for i in flow.isValid.indices where random.chance(0.5) { flow.isValid[i] = false }
  let image = Image.noise(height: height, width: width, seed: seed)
  return FlowSample(image1: image, image2: image, flow: flow)
}

/// The definition, step by step: the whole field is resized by scattering, then mirrored, then cut.
private func scattered(_ flow: FlowField, _ scatter: (fx: Double, fy: Double), size: (height: Int, width: Int), flipsX: Bool, flipsY: Bool,
                       rows: Range<Int>, columns: Range<Int>) -> FlowField {
  func rounded(_ value: Double) -> Int {  // half to even, in another way than the code under test
    let below = Int(floor(value)), rest = value - floor(value)
    return rest < 0.5 || (rest == 0.5 && below % 2 == 0) ? below : below + 1
  }
  var places: [Int: (Float, Float)] = [:]
  for y in 0..<flow.height {
    for x in 0..<flow.width where flow.isValid[y * flow.width + x] {
      let column = rounded(Double(x) * scatter.fx), row = rounded(Double(y) * scatter.fy)
      guard column > 0, row > 0, column < size.width, row < size.height else { continue }
      let (u, v) = flow[y, x]
      places[row * size.width + column] = (Float(Double(u) * scatter.fx), Float(Double(v) * scatter.fy))
    }
  }
  var result = FlowField(height: rows.count, width: columns.count, vectors: Array(repeating: 0, count: 2 * rows.count * columns.count),
                         isValid: Array(repeating: false, count: rows.count * columns.count))
  for (i, row) in rows.enumerated() {
    for (j, column) in columns.enumerated() {
      let source = (flipsY ? size.height - 1 - row : row) * size.width + (flipsX ? size.width - 1 - column : column)
      guard let (u, v) = places[source] else { continue }
      result[i, j] = (flipsX ? -u : u, flipsY ? -v : v)
      result.isValid[i * columns.count + j] = true
    }
  }
  return result
}

struct SparseFlowTransformTests {
  @Test(arguments: 0..<40) func equalsTheDefinition(trial: Int) {
    var random = random(trial)
    let height = random.integer(in: 5..<24), width = random.integer(in: 5..<24)
    let scale = trial % 5 == 0 ? SIMD2(0.5, 1.5) : SIMD2(random.uniform(0.4, 2.2), random.uniform(0.4, 2.2))  // 0.5 makes exact halves
    let size = (height: Int((Double(height) * scale.y).rounded(.toNearestOrEven)), width: Int((Double(width) * scale.x).rounded(.toNearestOrEven)))
    let top = random.integer(in: 0..<size.height), left = random.integer(in: 0..<size.width)
    let rows = top..<random.integer(in: top + 1..<size.height + 1), columns = left..<random.integer(in: left + 1..<size.width + 1)
    let (flipsX, flipsY) = (random.chance(0.5), random.chance(0.5))
    let flow = sparseSample(height: height, width: width, seed: UInt64(trial)).flow
    let scatter = SparseFlowTransform(scale: scale, height: size.height, width: size.width, flipsX: flipsX, flipsY: flipsY, rows: rows, columns: columns)
    let expected = scattered(flow, (scale.x, scale.y), size: size, flipsX: flipsX, flipsY: flipsY, rows: rows, columns: columns)
    #expect(scatter(flow) == expected)
  }

  /// By hand: doubling puts x = 1 at 2; halving puts 1 at 0 (half to even, lost) and 2 and 3 at 1 and 2.
  @Test func valuesWorkedOutByHand() {
    let row = FlowField(height: 2, width: 4, vectors: [9, 9, 9, 9, 9, 9, 9, 9, 1, 10, 2, 20, 3, 30, 4, 40])
    let doubled = SparseFlowTransform(scale: SIMD2(2, 1), height: 2, width: 8, flipsX: false, flipsY: false, rows: 0..<2, columns: 0..<8)(row)
    #expect(doubled.isValid == Array(repeating: false, count: 8) + [false, false, true, false, true, false, true, false])
    #expect(doubled[1, 2] == (4, 20) && doubled[1, 4] == (6, 30) && doubled[1, 6] == (8, 40))
    let halved = SparseFlowTransform(scale: SIMD2(0.5, 1), height: 2, width: 2, flipsX: false, flipsY: false, rows: 1..<2, columns: 0..<2)(row)
    #expect(halved.isValid == [false, true] && halved[0, 1] == (1.5, 30))  // 3 / 2 = 1.5 rounds to 2, outside
    // Shrinking to a quarter moves 3, 4 and 5 to column 1: the last one stays.
    let long = FlowField(height: 2, width: 8, vectors: (0..<32).map(Float.init))
    let last = SparseFlowTransform(scale: SIMD2(0.25, 1), height: 2, width: 2, flipsX: true, flipsY: false, rows: 1..<2, columns: 0..<2)(long)
    #expect(last.isValid == [true, false] && last[0, 0] == (-Float(16 + 10) / 4, Float(16 + 11)))
  }
}

struct SparseAugmentationTests {
  private func kitti(_ height: Int, _ width: Int, _ change: (inout FlowAugmentation) -> Void = { _ in }) -> FlowAugmentation {
    var augmentation = FlowAugmentation(.sintelKitti)
    (augmentation.cropHeight, augmentation.cropWidth) = (height, width)
    (augmentation.photometric, augmentation.eraser) = (false, false)
    change(&augmentation)
    return augmentation
  }

  /// The table of the published settings, item by item.
  @Test func presetsAreThePublishedOnes() throws {
    func numbers(_ preset: FlowAugmentation.Preset) -> [Double] {
      let a = FlowAugmentation(preset)
      let values: [Double] = [Double(a.cropHeight), Double(a.cropWidth), a.minimumScale, a.maximumScale, a.brightness, a.contrast, a.saturation,
                              a.hue,
              a.asymmetricProbability, a.eraserProbability, a.resizeProbability, a.stretchProbability, a.horizontalFlipProbability,
              a.verticalFlipProbability, Double(a.cropMargin), Double(a.overhangRows), Double(a.overhangColumns), a.maximumDisplacement]
      return values
    }
    func dense(_ h: Double, _ w: Double, _ low: Double, _ high: Double) -> [Double] {
      [h, w, low, high, 0.4, 0.4, 0.4, 0.5 / 3.14, 0.2, 0.5, 0.8, 0.8, 0.5, 0.1, 8, 0, 0, 1000]
    }
    func sparse(_ h: Double, _ w: Double, _ low: Double, _ high: Double, flip: Double) -> [Double] {
      [h, w, low, high, 0.3, 0.3, 0.3, 0.3 / 3.14, 0, 0.5, 0.8, 0, flip, 0, 1, 20, 50, .infinity]
    }
    #expect(numbers(.chairs) == dense(368, 496, -0.1, 1) && FlowAugmentation(.chairs) == FlowAugmentation.chairs)
    #expect(numbers(.things) == dense(400, 720, -0.4, 0.8))
    #expect(numbers(.sintel) == dense(368, 768, -0.2, 0.6))
    #expect(numbers(.sintelKitti) == sparse(368, 768, -0.3, 0.5, flip: 0.5))
    #expect(numbers(.sintelHd1k) == sparse(368, 768, -0.5, 0.2, flip: 0.5))
    #expect(numbers(.kitti) == sparse(288, 960, -0.2, 0.4, flip: 0))
    for preset in FlowAugmentation.Preset.allCases {
      let settings = FlowAugmentation(preset)
      #expect(settings.kind == preset.kind && settings.preset == preset && settings.problems().isEmpty)
    }
  }

  /// An offset of the crop is drawn from a longer range and moved inside, so the borders hold more of them.
  @Test func theCropPrefersTheBordersBelowAndBeside() {
    let trials = 6000, slackY = 10, slackX = 30
    let settings = kitti(16, 20) { ($0.resizeProbability, $0.horizontalFlipProbability) = (0, 0) }
    var tops: [Int: Int] = [:], lefts: [Int: Int] = [:]
    for trial in 0..<trials {
      var random = random(trial)
      let transform = SpatialTransform(settings, height: 16 + slackY, width: 20 + slackX, random: &random)
      tops[transform.rows.lower[0], default: 0] += 1
      lefts[transform.columns.lower[0], default: 0] += 1
    }
    func fits(_ count: Int?, _ p: Double) -> Bool { abs(Double(count ?? 0) - p * Double(trials)) < 5 * (p * (1 - p) * Double(trials)).squareRoot() }
    let rows = Double(slackY + 20), columns = Double(slackX + 100)  // the sizes of the ranges
    for offset in 0..<slackY { #expect(fits(tops[offset], 1 / rows)) }
    #expect(fits(tops[slackY], 20 / rows))
    for offset in 1..<slackX { #expect(fits(lefts[offset], 1 / columns)) }
    #expect(fits(lefts[0], 51 / columns) && fits(lefts[slackX], 50 / columns))
    #expect(tops.keys.allSatisfy { (0...slackY).contains($0) } && lefts.keys.allSatisfy { (0...slackX).contains($0) })
  }

  @Test func probabilitiesAndRanges() {
    let trials = 4000
    var resized: [Double] = [], flipped = 0
    for trial in 0..<trials {
      var random = random(trial)
      let transform = SpatialTransform(kitti(16, 20), height: 96, width: 120, random: &random)
      #expect(transform.factor.y > 0)
      #expect(abs(transform.factor.x) == transform.factor.y, "no stretch")
      if transform.factor.x < 0 { flipped += 1 }
      if transform.factor.y != 1 { resized.append(log2(Double(transform.factor.y))) }
    }
    func fits(_ count: Int, _ p: Double) -> Bool { abs(Double(count) - p * Double(trials)) < 5 * (p * (1 - p) * Double(trials)).squareRoot() }
    #expect(fits(flipped, 0.5) && fits(resized.count, 0.8))
    let least = resized.min() ?? 0, largest = resized.max() ?? 0
    #expect(-0.3001 <= least && least < -0.28 && 0.48 < largest && largest <= 0.5001)
    // Uniform: the mean of 3,200 draws has a standard deviation of 0.8 / √(12 · 3200) = 0.0041.
    let mean = resized.reduce(0, +) / Double(resized.count)
    #expect(abs(mean - 0.1) < 5 * 0.0041)
  }

  /// The bound leaves one row and column beside the crop, as the published code has it.
  @Test func theScaleHasALowerBound() {
    var random = random(0)
    let settings = kitti(64, 80) { ($0.minimumScale, $0.maximumScale, $0.resizeProbability) = (-5, -5, 1) }
    #expect(SpatialTransform.scale(settings, height: 100, width: 100, random: &random) == SIMD2(repeating: 81.0 / 100))
  }

  /// Every vector of the result is one of the sample's, scaled; where it is known, the flow was known.
  @Test(arguments: 0..<12) func nothingIsBlended(trial: Int) {
    let sample = sparseSample(height: 60, width: 70)
    var draw = random(trial), again = random(trial)
    let settings = kitti(40, 48), flow = settings(sample, random: &draw).flow
    let factor = SpatialTransform(settings, height: 60, width: 70, random: &again).factor
    var known: Set<SIMD2<Float>> = []
    for i in sample.flow.isValid.indices where sample.flow.isValid[i] {
      let (u, v) = (Double(sample.flow.vectors[2 * i]), Double(sample.flow.vectors[2 * i + 1]))
      known.insert(SIMD2(Float(u * Double(factor.x)).rounded(toPlaces: 2), Float(v * Double(factor.y)).rounded(toPlaces: 2)))
    }
    let kept = flow.isValid.indices.filter { flow.isValid[$0] }
    #expect(kept.count > 300)
    let found = kept.map { SIMD2(flow.vectors[2 * $0].rounded(toPlaces: 2), flow.vectors[2 * $0 + 1].rounded(toPlaces: 2)) }
    #expect(found.count { known.contains($0) } > found.count * 9 / 10, "rounding may separate a few")
    #expect(Set(found).count == found.count)
  }

  @Test func withoutAResizeTheFlowIsOnlyCut() {
    let sample = sparseSample(height: 40, width: 48)
    var draw = random(3)
    let settings = kitti(40, 48) { ($0.resizeProbability, $0.horizontalFlipProbability) = (0, 0) }
    let changed = settings(sample, random: &draw)
    #expect(changed.image1 == sample.image1 && changed.flow.isValid == sample.flow.isValid)
    let differing = sample.flow.vectors.indices.filter { sample.flow.isValid[$0 / 2] && changed.flow.vectors[$0] != sample.flow.vectors[$0] }
    #expect(differing.isEmpty)
  }

  @Test func coloursAreAlwaysAlike() {
    let settings = kitti(6, 6) { ($0.photometric, $0.spatial, $0.crop) = (true, false, .center) }
    let sample = sparseSample(height: 6, width: 6)
    let changed = (0..<200).count { trial in
      var random = random(trial)
      let result = settings(sample, random: &random)
      #expect(result.image1 == result.image2)
      return result.image1 != sample.image1
    }
    #expect(changed > 190)
  }
}

extension Float {
  fileprivate func rounded(toPlaces places: Int) -> Float {
    let factor = Float(pow(10, Double(places)))
    return (self * factor).rounded() / factor
  }
}
