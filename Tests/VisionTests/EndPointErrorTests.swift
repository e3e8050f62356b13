import Foundation
import Testing
import TestSupport
import Vision

@Suite struct EndPointErrorTests {
  /// One row of vectors.
  private func row(_ vectors: [(Float, Float)], isValid: [Bool] = []) -> FlowField {
    FlowField(height: 1, width: vectors.count, vectors: vectors.flatMap { [$0.0, $0.1] }, isValid: isValid)
  }

  @Test func poolsAllPixelsOfAllImages() {
    var score = EndPointError()
    // Errors 0, 5 (a 3-4-5 triangle), 0.5 and 2.
    score.add(predicted: row([(0, 0), (3, 4), (0.5, 0), (0, -2)]), truth: row([(0, 0), (0, 0), (0, 0), (0, 0)]))
    // One more pixel with the error 10 = |(6, 8)|.
    score.add(predicted: row([(7, 9)]), truth: row([(1, 1)]))
    #expect(score.pixelCount == 5)
    let sum: Double = 17.5, secondImage: Double = 10
    #expect(score.mean == sum / 5)
    #expect(score.fractionBelow1 == 2.0 / 5)
    #expect(score.fractionBelow3 == 3.0 / 5)
    #expect(score.fractionBelow5 == 3.0 / 5, "an error of exactly 5 px is not below 5 px")
    let firstImage = (sum - secondImage) / 4
    #expect(score.meanOfImages == (firstImage + secondImage) / 2)
  }

  @Test func outliersExceedBothThreePixelsAndFivePercent() {
    var score = EndPointError()
    // (error, true length): (4, 100) is 4 %; (6, 100) is 6 %; (3, 0) is not above 3 px; (3.5, 0) is infinitely many percent.
    score.add(predicted: row([(104, 0), (106, 0), (3, 0), (3.5, 0)]), truth: row([(100, 0), (100, 0), (0, 0), (0, 0)]))
    #expect(score.outlierShare == 2.0 / 4)
  }

  @Test func unknownAndTooLongVectorsDoNotCount() {
    var score = EndPointError()
    score.add(predicted: row([(1, 0), (9, 9)]), truth: row([(0, 0), (0, 0)], isValid: [true, false]))
    score.add(predicted: row([(0, 0)]), truth: row([(0, 0)], isValid: [false]))
    score.add(predicted: row([(0, 0), (0, 0)]), truth: row([(400, 0), (399, 0)]), largestMagnitude: 400)
    #expect(score.pixelCount == 2)
    #expect(score.imageCount == 2, "an image without known pixels is no image")
    #expect(score.mean == 200)
  }

  @Test func emptyScoreIsZero() {
    let score = EndPointError()
    #expect([score.mean, score.fractionBelow1, score.meanOfImages, score.outlierShare] == [0, 0, 0, 0])
  }

  @Test func notANumberIsAnOutlierAndSpoilsTheMean() {
    var score = EndPointError()
    score.add(predicted: row([(.nan, 0), (0, 0)]), truth: row([(0, 0), (0, 0)]))
    #expect(score.outlierShare == 0.5)
    #expect(score.fractionBelow5 == 0.5)
    #expect(score.mean.isNaN)
  }

  @Test func mergingEqualsAddingInOrder() {
    var whole = EndPointError(), first = EndPointError(), second = EndPointError()
    let pairs = [(row([(1, 2), (3, 4)]), row([(0, 0), (1, 1)])), (row([(9, 0), (0, 0)]), row([(0, 0), (0, 1)]))]
    for (index, (predicted, truth)) in pairs.enumerated() {
      let occlusion = index == 0 ? [true, false] : nil
      whole.add(predicted: predicted, truth: truth, occlusion: occlusion)
      if index == 0 { first.add(predicted: predicted, truth: truth, occlusion: occlusion) } else { second.add(predicted: predicted, truth: truth) }
    }
    first.merge(second)
    #expect(first == whole)
  }

  /// True speeds 9.75, 10, 39.5, 40 (a 3-4-5 triangle) and 300; predicted at rest but for the second.
  @Test func errorsAreDividedByTrueSpeed() {
    var score = EndPointError()
    score.add(predicted: row([(0, 0), (10, 3), (0, 0), (0, 0)]), truth: row([(9.75, 0), (10, 0), (0, -39.5), (24, 32)]))
    score.add(predicted: row([(0, 0), (7, 7)]), truth: row([(0, 300), (1e10, 0)], isValid: [true, false]))
    #expect(score.mean(of: .below10) == 9.75)
    #expect(score.mean(of: .from10To40) == (3 + 39.5) / 2)
    #expect(score.mean(of: .from40) == 170, "(40 + 300) / 2: exactly 40 px are fast")
    #expect(EndPointError().mean(of: .from40) == nil)
    #expect(MotionRange.allCases.map(\.name) == ["s0-10", "s10-40", "s40+"])
  }

  @Test func errorsAreDividedByOcclusion() {
    var score = EndPointError()
    let truth = row([(0, 0), (0, 0), (0, 0), (0, 0)], isValid: [true, true, true, false])
    score.add(predicted: row([(1, 0), (2, 0), (5, 0), (9, 0)]), truth: truth, occlusion: [false, true, false, true])
    #expect(score.matched.mean == 3 && score.unmatched.mean == 2)
    #expect(score.matched.pixelCount == 2 && score.unmatched.pixelCount == 1)
    score.add(predicted: row([(7, 0)]), truth: row([(0, 0)]))
    #expect(score.matched.mean == 3, "an image of unknown occlusion counts in neither")
    #expect(score.mean == 15.0 / 4)
  }

  @Test func mapIsTheErrorPerPixel() {
    let map = EndPointError.map(predicted: row([(3, 4), (1, 1)]), truth: row([(0, 0), (0, 0)], isValid: [true, false]))
    #expect(map[0] == 5)
    #expect(map[1].isNaN)
  }
}

/// Zero flow judged against real ground truth: the mean length of the flow, as listed in the samples' manifest.
@Suite(.enabled(if: SharedSamples.exist)) struct RealFlowTests {
  @Test(arguments: [
    ("flow_rubberwhale/RubberWhale.flo", 3622, 1.2560), ("flow_sintel_alley1/frame_0001.flo", 0, 2.8025),
    ("flow_chairs/0000002-gt.flo", 0, 4.3526), ("flow_chairs/0000006-gt.flo", 0, 2.9923), ("flow_tiny/00001_flow.flo", 0, 1.7833),
  ])
  func errorOfZeroFlow(path: String, unknown: Int, expected: Double) throws {
    let truth = try SharedSamples.flow(path)
    let zero = FlowField(height: truth.height, width: truth.width, vectors: Array(repeating: 0, count: truth.vectors.count))
    var score = EndPointError()
    score.add(predicted: zero, truth: truth)
    #expect(score.pixelCount == truth.height * truth.width - unknown)
    #expect(abs(score.mean - expected) < 6e-5, "the manifest has four decimals; found \(score.mean)")
  }
}

/// The real samples beside the checkout, if they are there.
enum SharedSamples {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../shared/data").standardized
  static var exist: Bool { FileManager.default.fileExists(atPath: folder.appendingPathComponent("MANIFEST.md").path) }

  /// A bare reading of `.flo`: 4 bytes, width, height, then pairs of floats.
  static func flow(_ path: String) throws -> FlowField {
    let data = try Data(contentsOf: folder.appendingPathComponent(path))
    func word(_ index: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(data[4 * index + $1]) << UInt32(8 * $1) }
    }
    let width = Int(word(1)), height = Int(word(2))
    let vectors = (0..<2 * width * height).map { Float(bitPattern: word(3 + $0)) }
    let isValid = (0..<width * height).map { abs(vectors[2 * $0]) <= 1e9 && abs(vectors[2 * $0 + 1]) <= 1e9 }
    return FlowField(height: height, width: width, vectors: vectors, isValid: isValid)
  }
}
