import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

@Suite("Pieces of tracks, and noise over them") struct TrackWindowTests {
  @Test func displacementsAndBoxes() {
    let first = BoundingBox(x: 10, y: 20, width: 40, height: 80)
    let second = BoundingBox(x: 20, y: 16, width: 44, height: 88)
    let move = BoxDisplacement(from: first, to: second)
    #expect(abs(move.values.x - 12.0 / 40) < 1e-12 && abs(move.values.y) < 1e-12)
    #expect(abs(move.values.z - log(1.1)) < 1e-12 && abs(move.values.w - log(1.1)) < 1e-12)
    let again = first.moved(by: move)
    for (a, b) in [(again.x, second.x), (again.y, second.y), (again.width, second.width), (again.height, second.height)] {
      #expect(abs(a - b) < 1e-12)
    }
    let wild = first.moved(by: BoxDisplacement(SIMD4(.nan, 1e30, 1e30, -1e30)))
    #expect(wild.isFinite && !wild.isEmpty)
  }

  @Test func missesAndJitterHaveTheirRates() {
    var noise = BoxNoise()
    (noise.missRate, noise.longestMiss, noise.jitter) = (0.3, 4, 0.05)
    var random = Random(seed: 1, stream: .test)
    let seen = noise.seen(20_000, &random)
    #expect(abs(Double(seen.count { !$0 }) / 20_000 - 0.3) < 0.02)
    let longest = seen.split(separator: true).map(\.count).max() ?? 0
    #expect(longest >= 4)
    let box = BoundingBox(x: 100, y: 50, width: 30, height: 60)
    let errors = (0..<4000).map { _ in BoxDisplacement(from: box, to: noise.jittered(box, &random)).values }
    for k in 0..<4 {
      let deviation = (errors.reduce(0) { $0 + $1[k] * $1[k] } / 4000).squareRoot()
      #expect(abs(deviation - 0.05) < 0.004, "\(k): \(deviation)")
    }
    (noise.missRate, noise.jitter) = (0, 0)
    #expect(noise.seen(50, &random).allSatisfy { $0 })
    #expect(BoxDisplacement(from: box, to: noise.jittered(box, &random)).values == SIMD4(repeating: 0))
    noise.longestMiss = 0
    #expect(noise.problems().map(\.key) == ["longest_miss"])
  }

  /// Gaps end a piece; what does not count is left out.
  @Test func windowsHaveNoGaps() throws {
    try withTemporaryFolder { root in
      let folder = "\(root)/A"
      try FileManager.default.createDirectory(atPath: "\(folder)/gt", withIntermediateDirectories: true)
      var rows = (1...10).filter { $0 != 6 }.map { "\($0),1,\(10 * $0),5,20,40,1,1,1" }
      rows += (3...9).map { "\($0),2,50,5,20,40,1,1,1" } + (1...10).map { "\($0),3,90,5,20,40,0,7,1" }
      try rows.shuffled().joined(separator: "\n").write(toFile: "\(folder)/gt/gt.txt", atomically: true, encoding: .utf8)
      let windows = try TrackWindows(MOTSequence.all(in: folder), length: 4, stride: 2)
      #expect((0..<windows.count).map(windows.name) == ["A/1/1", "A/1/7", "A/2/3", "A/2/5"])
      #expect(windows.sample(at: 1).boxes.map(\.x) == [70, 80, 90, 100])
      expectFailure(.badData, "no track of 1 sequences has 9 frames in a row") {
        try TrackWindows(MOTSequence.all(in: folder), length: 9, stride: 1)
      }
    }
  }
}
