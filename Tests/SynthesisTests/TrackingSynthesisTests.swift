import Base
import Data
import Foundation
import Synthesis
import Testing
import TestSupport
import Vision

@Suite struct TrackingSynthesisTests {
  private static let small = {
    var settings = TrackingSynthesis()
    (settings.height, settings.width, settings.frames) = (96, 144, 12)
    (settings.fewestFigures, settings.mostFigures) = (5, 5)
    return settings
  }()

  private static func truth(_ settings: TrackingSynthesis, index: Int = 0, seed: UInt64 = 3) -> [[TruthBox]] {
    let scene = settings.sequence(index: index, seed: seed)
    return (0..<scene.frameCount).map { scene.frame($0).truth }
  }

  @Test func aSequenceIsAFunctionOfSeedAndIndex() {
    let first = Self.small.sequence(index: 2, seed: 1).frame(5)
    #expect(first.image.height == 96 && first.image.width == 144 && first.image.channels == 3)
    let again = Self.small.sequence(index: 2, seed: 1).frame(5)
    #expect(first.image == again.image && first.truth == again.truth)
    #expect(first.image != Self.small.sequence(index: 3, seed: 1).frame(5).image)
    #expect(first.image != Self.small.sequence(index: 2, seed: 2).frame(5).image)
  }

  /// Boxes lie around the pixels that change when a person is not there, and the share that is seen is theirs.
  @Test func boxesAndVisibilityAreThoseOfThePictures() {
    var settings = Self.small
    (settings.noise, settings.blur, settings.occluders, settings.distractors, settings.cameraMotion, settings.shake) = (0, 0, 0, 0, 0, 0)
    (settings.fewestFigures, settings.mostFigures, settings.frames) = (1, 1, 1)
    var seen = 0
    for index in 0..<12 {
      let frame = settings.sequence(index: index, seed: 5).frame(0)
      var empty = settings
      (empty.fewestFigures, empty.mostFigures) = (0, 0)
      let ground = empty.sequence(index: index, seed: 5).frame(0)
      #expect(ground.truth.isEmpty)
      guard let person = frame.truth.first, person.visibility == 1 else { continue }
      seen += 1
      let changed = (0..<96 * 144).filter { pixel in
        (0..<3).contains { abs(Int(frame.image.pixels[3 * pixel + $0]) - Int(ground.image.pixels[3 * pixel + $0])) > 40 }
      }
      let (columns, rows) = (changed.map { $0 % 144 }, changed.map { $0 / 144 })
      let box = person.box
      #expect(changed.count > 40)
      for (edge, found) in [(box.x, columns.min()), (box.y, rows.min()), (box.x1 - 1, columns.max()), (box.y1 - 1, rows.max())] {
        #expect(abs(edge - Double(found ?? -100)) <= 6, "\(index): \(box), \(String(describing: found))")
      }
      for pixel in changed { #expect(box.x - 2 <= Double(pixel % 144) && Double(pixel % 144) <= box.x1 + 1) }
    }
    #expect(seen >= 3, "only \(seen) persons alone and whole")
  }

  @Test func personsMoveSmoothlyAndHideOneAnother() {
    var settings = Self.small
    (settings.fewestFigures, settings.mostFigures, settings.frames, settings.absence) = (12, 12, 40, 6)
    (settings.stops, settings.turns) = (0, 0)
    let frames = Self.truth(settings)
    var last: [Int: (frame: Int, box: BoundingBox)] = [:]
    var moved = 0.0
    for (number, frame) in frames.enumerated() {
      #expect(Set(frame.map(\.id)).count == frame.count)
      for person in frame where person.category == .pedestrian {
        #expect(person.isEvaluated && (0...1).contains(person.visibility))
        if let before = last[person.id], before.frame == number - 1 {
          let step = abs(person.box.x + person.box.width / 2 - before.box.x - before.box.width / 2)
          #expect(step < 0.25 * person.box.height, "\(person.id) in frame \(number + 1): \(step)")
          moved += step
        }
        last[person.id] = (number, person.box)
      }
    }
    let all = frames.joined().filter { $0.category == .pedestrian }
    #expect(last.count > 6 && moved > 100)
    #expect(all.contains { $0.visibility < 0.3 } && all.contains { $0.visibility > 0.95 })
    let things = Set(frames.joined().filter { !$0.isEvaluated }.map(\.category))
    #expect(things.isSubset(of: [.staticPerson, .distractor, .occluder]) && things.contains(.staticPerson) && things.contains(.occluder))
  }

  private func contents(_ root: String) throws -> [String: [UInt8]] {
    let names = try File.files(below: root)
    return try Dictionary(uniqueKeysWithValues: names.map { ($0, try File.bytes(at: "\(root)/\($0)")) })
  }

  @Test func sequencesAreThoseOfMOT17AndTheSameForAnyNumberOfThreads() throws {
    try withTemporaryFolder { folder in
      var settings = Self.small
      settings.frames = 3
      for threads in [1, 3] {
        try settings.writeSequences(count: 3, seed: 2, heldOutShare: 0.34, to: "\(folder)/\(threads)", threads: threads)
      }
      let (one, three) = (try contents("\(folder)/1"), try contents("\(folder)/3"))
      #expect(one == three && one.count == 3 * 6)
      let sequences = try MOTSequence.all(in: "\(folder)/1") + MOTSequence.all(in: "\(folder)/1", split: "val")
      #expect(sequences.map(\.name).sorted() == ["synth-0001", "synth-0002", "synth-0003"])
      for sequence in sequences {
        #expect(sequence.info?.length == 3 && sequence.info?.width == 144 && sequence.info?.frameRate == 25)
        #expect(try sequence.benchmark() == .mot17 && sequence.truth().count == 3 && sequence.detections().count == 3)
        #expect(try sequence.images().count == 3)
        let index = (Int(sequence.name.suffix(4)) ?? 0) - 1
        let frame = settings.sequence(index: index, seed: 2).frame(2)
        let written = try sequence.truth()[2]
        #expect(written.map(\.id) == frame.truth.map(\.id) && written.map(\.category) == frame.truth.map(\.category))
        // Files count pixels from 1.
        for (file, own) in zip(written, frame.truth) { #expect(file.box.x == own.box.x + 1 && file.box.height == own.box.height) }
      }
      try settings.writeSequences(count: 3, seed: 2, heldOutShare: 0.34, to: "\(folder)/1")
      #expect(try contents("\(folder)/1") == one)
      expectFailure(.cannotCreate, "files of other sequences") { try settings.writeSequences(count: 1, seed: 2, to: "\(folder)/1") }
      settings.missRate = 2
      expectFailure(.usage, "miss_rate is 2.0") { try settings.writeSequences(count: 1, seed: 2, to: "\(folder)/new") }
    }
  }

  @Test func detectionsMissAndErrAsTheyAreAsked() throws {
    func rates(_ change: (inout TrackingSynthesis) -> Void) throws -> (recall: Double, falseBoxes: Double, error: Double) {
      var settings = Self.small
      (settings.frames, settings.occluders, settings.distractors) = (60, 0, 0)
      change(&settings)
      return try withTemporaryFolder { folder in
        try settings.writeSequences(count: 1, seed: 4, heldOutShare: 0, to: folder)
        let sequence = try #require(try MOTSequence.all(in: folder).first)
        var (found, people, others, error) = (0, 0, 0, 0.0)
        for (truth, detections) in zip(try sequence.truth(), try sequence.detections()) {
          let whole = truth.filter { $0.visibility > 0.9 && $0.category == .pedestrian }
          people += whole.count
          for person in whole {
            guard let best = detections.map({ $0.box.iou(with: person.box) }).max(), best > 0.5 else { continue }
            found += 1
            error += 1 - best
          }
          others += detections.count { box in !truth.contains { box.box.iou(with: $0.box) > 0.3 } }
        }
        return (Double(found) / Double(people), Double(others) / 60, error / Double(found))
      }
    }
    let exact = try rates { ($0.missRate, $0.falseRate, $0.jitter) = (0, 0, 0) }
    #expect(exact.recall == 1 && exact.falseBoxes < 0.2 && exact.error < 0.12)
    let poor = try rates { ($0.missRate, $0.falseRate, $0.jitter, $0.missLength) = (0.4, 2, 0.08, 3) }
    #expect(poor.recall > 0.35 && poor.recall < 0.85 && poor.falseBoxes > 1 && poor.error > exact.error + 0.03)
  }

  @Test func clothesAreAlikeWhereTheyAreAskedTo() {
    /// Standard deviation of a colour of the shirts within a sequence, on average.
    func spread(_ similarity: Double) -> Double {
      var settings = Self.small
      (settings.fewestFigures, settings.mostFigures, settings.frames, settings.similarity) = (10, 10, 1, similarity)
      (settings.occluders, settings.distractors, settings.noise) = (0, 0, 0)
      let deviations = (0..<5).map { index in
        let frame = settings.sequence(index: index, seed: 8).frame(0)
        let values = frame.truth.filter { $0.visibility > 0.8 }.map { person in
          let (x, y) = (Int(person.box.x + person.box.width / 2), Int(person.box.y + 0.35 * person.box.height))
          return Double(frame.image.pixels[3 * (y * 144 + min(143, max(0, x)))])
        }
        return Statistics.sampleDeviation(values) ?? 0
      }
      return deviations.reduce(0, +) / 5
    }
    let (own, same) = (spread(0), spread(1))
    #expect(own > 20 && same < 0.75 * own, "\(own), \(same)")
  }

  @Test func personsAreThoseOfMarket1501() throws {
    try withTemporaryFolder { folder in
      var settings = TrackingSynthesis()
      (settings.cameras, settings.shots) = (2, 2)
      for threads in [1, 2] {
        try settings.writeIdentities(count: 4, seed: 2, heldOutShare: 0.5, to: "\(folder)/\(threads)", threads: threads)
      }
      let one = try contents("\(folder)/1")
      #expect(try contents("\(folder)/2") == one && one.count == 16)
      func identities(_ folder: String) -> [String] {
        one.keys.filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1).prefix(4)) }
      }
      #expect(identities("bounding_box_train").count == 8 && identities("query").count == 4 && identities("bounding_box_test").count == 4)
      #expect(Set(identities("query")) == Set(identities("bounding_box_test")))
      #expect(Set(identities("query")).isDisjoint(with: identities("bounding_box_train")))
      for name in one.keys { #expect(name.contains(#/\/\d{4}_c[12]s1_\d{6}_\d{2}\.jpg$/#), "\(name)") }
      let image = try Image(contentsOf: "\(folder)/1/" + (one.keys.sorted().first ?? ""))
      #expect(image.height == 128 && image.width == 64 && image.channels == 3)
    }
  }
}
