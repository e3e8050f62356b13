import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

/// Crops, targets and decoding against OpenCV and a second implementation of the authors' rules.
@Suite("Pose crops") struct PoseCropTests {
  private struct Reference: Decodable {
    struct Crop: Decodable {
      let name: String
      let size: [Int]
      let sigma: Double
      let box, center, scale: [Double]
      let rotation: Double
      let matrix: [[Double]]
      let points: [[Double]]
      let visible: [Int]
      let moved: [[Double]]
      let weights, sums: [Double]
      let moments: [[Double]]
      let shift: Bool
      let found: [[Double]]
      let scores: [Double]
    }

    struct Half: Decodable {
      let points: [[Double]]
      let visible: [Int]
      let draw: Double
      let center, scale: [Double]?
    }

    let crops: [Crop]
    let halves: [Half]
  }

  private static let reference = Result { try Fixture.json("pose.json", as: Reference.self) }

  private func keypoints(_ points: [[Double]], _ visible: [Int]) -> [Keypoint] {
    zip(points, visible).map { Keypoint(x: $0[0], y: $0[1], visibility: $1 == 0 ? .unlabeled : .visible) }
  }

  private func picture(_ name: String, in fixture: Fixture) throws -> Image {
    let shape = try fixture.tensor(name).shape
    return Image(height: shape[0], width: shape[1], channels: 3, pixels: try fixture.bytes(name))
  }

  /// The rotated crop of the case; centre and extent follow from the box.
  private func crop(_ item: Reference.Crop, _ settings: PoseCrop) -> BodyCrop {
    let box = BoundingBox(x: item.box[0], y: item.box[1], width: item.box[2], height: item.box[3])
    var crop = settings.crop(around: box)
    #expect(crop.center == SIMD2(Float(item.center[0]), Float(item.center[1])) && crop.scale == SIMD2(Float(item.scale[0]), Float(item.scale[1])))
    crop.rotation = item.rotation
    return crop
  }

  @Test("sixteen crops: matrix, pixels, targets, decoding with the flip test") func crops() throws {
    let cases = try Self.reference.get().crops
    let fixture = try Fixture("pose")
    #expect(cases.count == 16)
    for (number, item) in cases.enumerated() {
      let settings = PoseCrop(width: item.size[0], height: item.size[1], sigma: item.sigma)
      let crop = crop(item, settings)
      let transform = crop.transform(width: item.size[0], height: item.size[1])
      for (row, pair) in [(transform.a.x, transform.b.x, transform.t.x), (transform.a.y, transform.b.y, transform.t.y)].enumerated() {
        let expected = item.matrix[row]
        #expect(abs(pair.0 - expected[0]) < 1e-9 && abs(pair.1 - expected[1]) < 1e-9 && abs(pair.2 - expected[2]) < 1e-7, "\(item.name)")
      }
      let sample = settings.sample(try picture("\(item.name)/picture", in: fixture), crop, keypoints(item.points, item.visible))
      try expectPixels(sample.image, picture("\(item.name)/warped", in: fixture), item.name)
      for (k, point) in sample.keypoints.enumerated() {
        #expect(point.isLabeled == (item.visible[k] == 1))
        #expect(abs(point.x - item.moved[k][0]) < 1e-6 && abs(point.y - item.moved[k][1]) < 1e-6, "\(item.name) \(k)")
      }
      let (maps, weights) = settings.targets(sample.keypoints)
      #expect(weights.map(Double.init) == item.weights, "\(item.name): \(weights)")
      expectMaps(maps, item)
      expectDecoded(maps, crop, settings, item, number)
    }
  }

  /// Equal to OpenCV but for a level at a few pixels, whose place lies at the middle between two thirty-seconds.
  private func expectPixels(_ image: Image, _ expected: Image, _ name: String) throws {
    var differing = 0
    for y in stride(from: 0, to: image.height, by: 8) {
      for x in 0..<image.width * 3 {
        let apart = abs(Int(image.pixels[y * image.width * 3 + x]) - Int(expected.pixels[y / 8 * image.width * 3 + x]))
        differing += apart == 0 ? 0 : 1
        #expect(apart <= 2, "\(name) at row \(y), sample \(x)")
      }
    }
    #expect(differing <= expected.pixels.count / 500, "\(name): \(differing) of \(expected.pixels.count) differ")
  }

  private func expectMaps(_ maps: Heatmaps, _ item: Reference.Crop) {
    for k in 0..<maps.count {
      let values = (0..<maps.height * maps.width).map { Double(maps.values[$0 * maps.count + k]) }
      #expect(abs(values.reduce(0, +) - item.sums[k]) < 1e-4, "\(item.name) \(k)")
      let moment = zip(values, values.indices).reduce(0) { $0 + $1.0 * Double($1.1) }
      #expect(abs(moment - item.moments[k][0]) <= 1e-5 * max(1, item.moments[k][0]), "\(item.name) \(k)")
      #expect(abs(values.reduce(0) { $0 + $1 * $1 } - item.moments[k][1]) < 1e-4, "\(item.name) \(k)")
    }
  }

  private func expectDecoded(_ maps: Heatmaps, _ crop: BodyCrop, _ settings: PoseCrop, _ item: Reference.Crop, _ number: Int) {
    var answer = maps
    let area = maps.height * maps.width
    let key = FixtureHash.key("noise \(number)")
    for k in 0..<maps.count {
      for cell in 0..<area {
        let noise = Float(FixtureHash.fraction(key, k * area + cell))
        let place = cell * maps.count + k
        let value: Float = maps.values[place] * 0.8 + noise * 0.1 - 0.02
        answer.values[place] = k == 3 ? -noise : value
      }
    }
    let back = answer.flippedBack(.coco, shift: item.shift)
    let found = settings.keypoints(answer.averaged(with: back), crop)
    for (k, point) in found.enumerated() {
      let expected = item.found[k]
      #expect(abs(point.position.x - expected[0]) < 1e-6 && abs(point.position.y - expected[1]) < 1e-6, "\(item.name) \(k): \(point) \(expected)")
      #expect(abs(point.score - item.scores[k]) < 1e-6, "\(item.name) \(k)")
    }
  }

  @Test("half bodies") func halves() throws {
    var counts = [0, 0]
    for item in try Self.reference.get().halves {
      let half = BodyCrop.half(of: keypoints(item.points, item.visible), upper: Set(0...10), aspectRatio: 0.75, draw: item.draw)
      counts[half == nil ? 0 : 1] += 1
      #expect((half == nil) == (item.center == nil))
      guard let half, let center = item.center, let scale = item.scale else { continue }
      for axis in 0..<2 {
        #expect(abs(Double(half.center[axis]) - center[axis]) < 1e-4 && abs(Double(half.scale[axis]) - scale[axis]) < 1e-6)
      }
    }
    #expect(counts.min() ?? 0 >= 2, "\(counts)")
  }

  // MARK: Worked examples of the specification

  private let worked = PoseCrop(width: 192, height: 256, sigma: 2).crop(around: BoundingBox(x: 100, y: 50, width: 80, height: 200))

  @Test("a box of 80 x 200, upright and turned by 30 degrees") func workedCrop() {
    #expect(worked.center == SIMD2(140, 150) && worked.scale == SIMD2(0.9375, 1.25))
    let upright = worked.transform(width: 192, height: 256)
    #expect(abs(upright.a.x - 1.024) < 1e-12 && abs(upright.b.x) < 1e-12 && abs(upright.t.x + 47.36) < 1e-10)
    #expect(abs(upright.a.y) < 1e-12 && abs(upright.b.y - 1.024) < 1e-12 && abs(upright.t.y + 25.6) < 1e-10)
    var turned = worked
    turned.rotation = 30
    let matrix = turned.transform(width: 192, height: 256)
    #expect(abs(matrix.a.x - 0.88681) < 1e-5 && abs(matrix.b.x - 0.512) < 1e-6 && abs(matrix.t.x + 104.953405) < 1e-4)
    #expect(abs(matrix.a.y + 0.512) < 1e-6 && abs(matrix.b.y - 0.88681) < 1e-5 && abs(matrix.t.y - 66.658499) < 1e-4)
  }

  @Test("a quarter towards the higher neighbour, but not at the rim") func workedPeaks() {
    let settings = PoseCrop(width: 192, height: 256, sigma: 2)
    func found(_ x: Int, _ y: Int) -> SIMD2<Double> {
      var maps = Heatmaps(height: 64, width: 48, count: 1, values: Array(repeating: 0, count: 64 * 48))
      maps.values[y * 48 + x] = 1
      if x + 1 < 48 { maps.values[y * 48 + x + 1] = 0.5 }
      if y > 0 { maps.values[(y - 1) * 48 + x] = 0.5 }
      return settings.keypoints(maps, worked)[0].position
    }
    let inner = found(10, 20), rim = found(1, 20)
    #expect(abs(inner.x - 86.28906) < 1e-4 && abs(inner.y - 102.14844) < 1e-4)
    #expect(abs(rim.x - 50.15625) < 1e-4 && abs(rim.y - 103.125) < 1e-4)
    #expect(found(46, 20).x > found(45, 20).x && found(47, 20).x - found(46, 20).x < 8)
  }

  @Test("sums of whole patches; what lies beyond, and a point just outside") func targets() {
    func target(_ x: Double, _ y: Double, sigma: Double = 2, _ visibility: Keypoint.Visibility = .visible) -> (sum: Double, weight: Float) {
      let (maps, weights) = Heatmaps.targets([Keypoint(x: x, y: y, visibility: visibility)], height: 64, width: 48, sigma: sigma)
      return (maps.values.reduce(0) { $0 + Double($1) }, weights[0])
    }
    #expect(abs(target(96, 128).sum - 25.0813) < 1e-4 && abs(target(96, 128, sigma: 3).sum - 56.3830) < 1e-4)
    #expect(target(96, 128, .hidden).weight == 1 && target(96, 128, .unlabeled) == (0, 0))
    // Towards zero: -3 px is in cell 0, as 1 px is.
    #expect(target(-3, 128).sum == target(1, 128).sum && target(-3, 128).weight == 1)
    #expect(target(-36, 128) == (0, 0) && target(4 * 54, 128) == (0, 0) && target(4 * 53, 128).weight == 1)
    // Its last column lies just before the map: weight without a target, as the authors have it.
    #expect(target(-30, 128) == (0, 1))
    #expect(target(1e300, 0) == (0, 0) && target(.nan, 0) == (0, 0))
  }

  @Test("annotated boxes lose a pixel; empty ones are none") func sanitized() {
    let box = BoundingBox(x: -5, y: 10, width: 50, height: 20).sanitized(width: 40, height: 100)
    #expect(box == BoundingBox(x: 0, y: 10, width: 39, height: 19))
    for (x, width, height) in [(0.0, 0.0, 0.0), (50, 10, 10), (0, .nan, 5), (0, 1, 1)] {
      #expect(BoundingBox(x: x, y: 0, width: width, height: height).sanitized(width: 40, height: 100) == nil)
    }
  }

  // MARK: Augmentation

  @Test("points that are not labelled stay so, and labelled ones go where their pixels go") func augmentation() {
    var image = Image(height: 120, width: 160, channels: 3, pixels: Array(repeating: 20, count: 120 * 160 * 3))
    // A bright square around each labelled keypoint.
    let points = Skeleton.coco.names.indices.map { k in
      Keypoint(x: Double(30 + 11 * (k % 8)), y: Double(35 + 30 * (k / 8)), visibility: k % 5 == 4 ? .unlabeled : k % 2 == 0 ? .visible : .hidden)
    }
    for point in points where point.isLabeled {
      for y in Int(point.y) - 2...Int(point.y) + 2 {
        for x in Int(point.x) - 2...Int(point.x) + 2 { for c in 0..<3 { image.pixels[(y * 160 + x) * 3 + c] = 250 } }
      }
    }
    let settings = PoseCrop(width: 96, height: 128, sigma: 2)
    let crop = settings.crop(around: BoundingBox(x: 20, y: 20, width: 110, height: 90))
    var seen: [String: Int] = [:]
    for draw in 0..<60 {
      var random = Random(seed: 5, stream: .augmentation, sample: draw)
      let sample = PoseAugmentation()(image, crop, points, .coco, settings, random: &random)
      let mirrored = sample.keypoints.map(\.isLabeled) != points.map(\.isLabeled)
      let expected = mirrored ? Skeleton.coco.mirrored.map { points[$0].visibility } : points.map(\.visibility)
      #expect(sample.keypoints.map(\.visibility) == expected)
      for point in sample.keypoints {
        guard point.isLabeled else { #expect(point.x < 200 && point.y < 200); continue }
        guard (0...95).contains(point.x), (0...127).contains(point.y) else { continue }
        #expect(sample.image.pixels[(Int(point.y.rounded()) * 96 + Int(point.x.rounded())) * 3] > 150, "\(draw): \(point)")
      }
      seen[mirrored ? "mirrored" : "plain", default: 0] += 1
      seen[sample.crop.rotation == 0 ? "upright" : "turned", default: 0] += 1
      #expect(abs(sample.crop.rotation) <= 90)
    }
    #expect(seen.count == 4 && (seen.values.min() ?? 0) >= 12, "\(seen)")
    // Without chance nothing moves.
    var random = Random(seed: 5, stream: .augmentation)
    let still = PoseAugmentation.none(image, crop, points, .coco, settings, random: &random)
    #expect(still.image == settings.sample(image, crop, points).image && still.crop == crop)
  }
}
