import Base
import Data
import Foundation
import Synthesis
import Testing
import TestSupport
import Vision

private let synthesis: FlowSynthesis = {
  var settings = FlowSynthesis()
  (settings.height, settings.width) = (72, 96)
  (settings.smallestRadius, settings.largestRadius) = (8, 26)
  return settings
}()

private func withLayout(_ layout: FlowLayout, count: Int = 3, frames: Int = 3, heldOut: Double = 0.34,
                        _ settings: FlowSynthesis = synthesis, _ body: (String) throws -> Void) throws {
  try withTemporaryFolder { root in
    try settings.write(layout, count: count, frames: frames, seed: 4, heldOutShare: heldOut, to: root)
    try body(root)
  }
}

private func contents(_ root: String) throws -> [String: Data] {
  var files: [String: Data] = [:]
  for name in try FileManager.default.subpathsOfDirectory(atPath: root) where name.contains(".") {
    files[name] = FileManager.default.contents(atPath: root + "/" + name)
  }
  return files
}

/// What is written in a public layout is read back by the data set of that name.
struct FlowLayoutTests {
  @Test func flyingThings() throws {
    try withLayout(.flyingThings) { root in
      let train = try FlyingThings(root: root, split: .train, pass: .both), test = try FlyingThings(root: root, split: .test, pass: .clean)
      #expect(train.count == 2 * FlowLayout.flyingThings.samples(frames: 3) && test.count == 2 * 2)
      #expect(train.name(of: 0) == "clean_A_0000_into_future_0006")
      // In each direction: frames in the wrong order would have the differences grow along the flow.
      for direction in ["into_future", "into_past"] {
        let samples = try (0..<train.count / 2).filter { train.name(of: $0).contains(direction) }.map { try train.sample(at: $0) }
        #expect(samples.count == 4)
        #expect(samples.reduce(0) { $0 + $1.warpingError(times: 1) } < 0.5 * samples.reduce(0) { $0 + $1.warpingError(times: 0) })
      }
      let clean = try train.sample(at: 0), final = try train.sample(at: train.count / 2)
      #expect(clean.flow == final.flow && clean.image1 != final.image1)
    }
  }

  @Test func sintel() throws {
    try withLayout(.sintel) { root in
      let set = try MPISintel(root: root, pass: .both, readsOcclusion: true)
      #expect(set.count == 2 * FlowLayout.sintel.samples(frames: 3))
      for pass in ["clean", "final"] {
        #expect(try Folder.names(in: "\(root)/test/\(pass)") == ["scene_0003"])
        #expect(try Folder.names(in: "\(root)/test/\(pass)/scene_0003") == ["frame_0001.png", "frame_0002.png", "frame_0003.png"])
      }
      #expect(try set.sample(at: 0).flow == set.sample(at: set.count / 2).flow)
      let mask = try #require(try set.sample(at: 0).occlusion)
      #expect(mask.count == 72 * 96 && mask.contains(true) && mask.contains(false))
      #expect(try set.invalid(at: 0)?.allSatisfy { !$0 } == true)
      // The second frame of the first pair is the first of the second.
      #expect(try set.sample(at: 0).image2 == set.sample(at: 1).image1)
    }
  }

  @Test func kitti() throws {
    try withLayout(.kitti, count: 6) { root in
      let all = try KITTI15(root: root), visible = try KITTI15(root: root, nonOccludedOnly: true)
      #expect(all.count == 4 && visible.count == 4 && all.name(of: 0) == "000000_10")
      #expect(try Folder.names(in: "\(root)/testing/image_2") == ["000002_10.png", "000002_11.png", "000005_10.png", "000005_11.png"])
      let flow = try all.sample(at: 0).flow, seen = try visible.sample(at: 0).flow
      #expect(flow.isValid[..<(22 * 96)].allSatisfy { !$0 }, "the sky: 0.3 of 72 rows")
      let known = flow.isValid.count { $0 }, below = 50 * 96
      #expect(abs(Double(known) - 0.5 * Double(below)) < 5 * (0.25 * Double(below)).squareRoot(), "half of the rest")
      let gained = flow.isValid.indices.count { seen.isValid[$0] && !flow.isValid[$0] }
      #expect(gained == 0 && seen.isValid != flow.isValid)
      let occlusion = try KITTI15(root: root, readsOcclusion: true).sample(at: 0).occlusion
      let lost: [Bool] = zip(flow.isValid, seen.isValid).map { $0 && !$1 }
      #expect(occlusion == lost)
      // The map has the exact flow, truncated to 1/64 pixel.
      let scene = synthesis.scene(index: 0, seed: 4).film(frames: 1)[0], exact = scene.flow(owners: scene.render(second: false).owners)
      for i in flow.isValid.indices where flow.isValid[i] {
        for k in [2 * i, 2 * i + 1] {
          let code: Float = (exact[k] * 64 + 32768).rounded(.towardZero)
          #expect(flow.vectors[k] == (code - 32768) / 64)
        }
      }
    }
  }

  @Test func hd1k() throws {
    try withLayout(.hd1k) { root in
      let set = try HD1K(root: root)
      #expect(set.count == 3 * 2 && set.name(of: 0) == "000000_0000" && set.name(of: 5) == "000002_0001")
      #expect(try set.sample(at: 2).flow.isValid.contains(true))
    }
  }

  @Test func flyingChairs() throws {
    try withLayout(.flyingChairs) { root in
      let train = try FlyingChairs(root: root, split: .train), validation = try FlyingChairs(root: root, split: .validation)
      #expect(train.count == 2 && validation.count == 1)
    }
  }

  @Test(arguments: [FlowLayout.flyingThings, .sintel, .kitti, .hd1k]) func repeatingGivesTheSameBytes(layout: FlowLayout) throws {
    try withTemporaryFolder { root in
      try synthesis.write(layout, count: 3, frames: 2, seed: 9, to: root, threads: 1)
      let first = try contents(root), victim = try #require(first.keys.sorted().last)
      try FileManager.default.removeItem(atPath: "\(root)/\(victim)")
      try synthesis.write(layout, count: 3, frames: 2, seed: 9, to: root, threads: 3)
      let isEqual = try contents(root) == first
      #expect(isEqual)
      expectFailure(.cannotCreate, root, "files of other data", "at least as many scenes") {
        try synthesis.write(layout, count: 2, frames: 2, seed: 9, to: root)
      }
    }
  }

  @Test func wrongSettingsAreRefused() {
    for (count, frames, share) in [(0, 2, 0.1), (10_000, 2, 0.1), (2, 1, 0.1), (2, 101, 0.1), (2, 2, 1.5)] {
      expectFailure(.usage) { try synthesis.write(.sintel, count: count, frames: frames, seed: 1, heldOutShare: share, to: "/nonexistent") }
    }
  }
}

struct SceneTimeTests {
  /// The second image of a frame is the frame after it.
  @Test func framesFollowEachOther() {
    let film = synthesis.scene(index: 2, seed: 1).film(frames: 3)
    for (frame, next) in zip(film, film.dropFirst()) {
      let owners = frame.render(second: true).owners, expected = next.render(second: false).owners
      #expect(owners == expected)
    }
    #expect(film[0].render(second: false).owners != film[2].render(second: false).owners)
  }

  /// The flow into the past, read where the flow into the future leads, leads back: exactly, for every layer.
  @Test func thePastIsTheInverse() {
    let film = synthesis.scene(index: 1, seed: 3).film(frames: 2), past = film[1].reversed()
    for (layer, back) in zip(film[0].layers, past.layers) {
      let p = SIMD2(31.0, 17.0), q = p + layer.motion.displacement(at: p)
      let loop = layer.motion.displacement(at: p) + back.motion.displacement(at: q)
      #expect(abs(loop.x) < 1e-9 && abs(loop.y) < 1e-9)
    }
  }

  /// One opaque square moves two pixels to the right over a background at rest: it hides two columns on its right side.
  @Test func occlusionOfASquare() {
    func plain(_ side: Int, _ value: Float) -> Texture {
      Texture(height: side, width: side, texels: Array(repeating: SIMD4(value, value, value, 1), count: side * side))
    }
    let ground = SceneLayer(texture: plain(8, 50), wraps: true, placement: .identity, motion: .identity)
    func square(movingBy x: Double) -> SceneLayer {
      SceneLayer(texture: plain(6, 200), wraps: false, placement: .about(SIMD2(0, 0), rotation: 0, zoom: 1, shift: SIMD2(10, 5)),
                 motion: .about(SIMD2(0, 0), rotation: 0, zoom: 1, shift: SIMD2(x, 0)))
    }
    let scene = FlowScene(height: 20, width: 30, layers: [ground, square(movingBy: 2)])
    let owners = scene.render(second: false).owners
    func box(_ columns: ClosedRange<Int>) -> [Int] { owners.indices.filter { (5...11).contains($0 / 30) && columns.contains($0 % 30) } }
    let covered = owners.indices.filter { owners[$0] == 1 }
    #expect(covered == box(10...16))
    let hidden = scene.occlusion(owners: owners)
    let behind = hidden.indices.filter { hidden[$0] }
    #expect(behind == box(17...18))
    // Pushed over the border, what leaves the frame is hidden as well.
    var leaving = scene
    leaving.layers[1] = square(movingBy: 16)
    let gone = leaving.occlusion(owners: owners)
    let outside = gone.indices.filter { gone[$0] && owners[$0] == 1 }
    #expect(outside == box(14...16))
  }

  /// Where a point stays in sight, the next frame shows its layer there.
  @Test(arguments: 0..<4) func visiblePointsKeepTheirLayer(index: Int) {
    let scene = synthesis.scene(index: index, seed: 8).film(frames: 1)[0]
    let owners = scene.render(second: false).owners, after = scene.render(second: true).owners
    let flow = scene.flow(owners: owners), hidden = scene.occlusion(owners: owners)
    var kept = 0, seen = 0, lost = 0, hiddenInside = 0
    for pixel in owners.indices {
      let x = Int((Double(pixel % 96) + Double(flow[2 * pixel])).rounded()), y = Int((Double(pixel / 96) + Double(flow[2 * pixel + 1])).rounded())
      guard (0..<96).contains(x), (0..<72).contains(y) else { continue }
      if hidden[pixel] {
        hiddenInside += 1
        if after[y * 96 + x] != owners[pixel] { lost += 1 }
      } else {
        seen += 1
        if after[y * 96 + x] == owners[pixel] { kept += 1 }
      }
    }
    // Rounding to whole pixels errs along outlines only.
    #expect(kept > seen * 95 / 100 && lost > hiddenInside * 7 / 10, "\(kept) of \(seen), \(lost) of \(hiddenInside)")
  }
}
