import Base
import Data
import Foundation
import Synthesis
import Testing
import TestSupport
import Vision

@Suite struct PoseSynthesisTests {
  private static let small = {
    var settings = PoseSynthesis()
    settings.height = 96
    settings.width = 128
    return settings
  }()

  /// Keypoints of a part lie where the part is seen; hidden ones where something else is.
  @Test func visibleKeypointsLieOnTheirFigure() {
    var seen = [0, 0, 0]
    for index in 0..<12 {
      let scene = Self.small.sample(index: index, seed: 3)
      #expect(scene.image.height == 96 && scene.image.width == 128 && scene.image.channels == 3)
      for person in scene.people {
        #expect(person.keypoints.count == 17 && person.mask.area > 0)
        let flags = person.mask.flags
        for point in person.keypoints {
          seen[point.visibility.rawValue] += 1
          guard point.isLabeled else { #expect(point == .unlabeled); continue }
          let (x, y) = (Int(point.x.rounded()), Int(point.y.rounded()))
          #expect((0..<128).contains(x) && (0..<96).contains(y))
          if point.visibility == .visible { #expect(flags[y * 128 + x]) }
        }
      }
    }
    #expect(seen[2] > 3 * seen[1] && seen[1] > 10 && seen[0] > 0, "visible, hidden and unlabelled ones: \(seen)")
  }

  @Test func aSampleIsAFunctionOfSeedAndIndex() {
    let first = Self.small.sample(index: 2, seed: 1)
    #expect(first.image == Self.small.sample(index: 2, seed: 1).image)
    #expect(first.image != Self.small.sample(index: 3, seed: 1).image && first.image != Self.small.sample(index: 2, seed: 2).image)
  }

  @Test func leftIsRightInThePicture() {
    var settings = Self.small
    (settings.liveliness, settings.rotation, settings.occluders, settings.mostPeople) = (0, 0, 0, 1)
    for index in 0..<6 {
      for person in settings.sample(index: index, seed: 9).people {
        for pair in Skeleton.coco.flipPairs where person.keypoints[pair.first].isLabeled && person.keypoints[pair.second].isLabeled {
          #expect(person.keypoints[pair.first].x > person.keypoints[pair.second].x, "\(Skeleton.coco.names[pair.first])")
        }
      }
    }
  }

  private func contents(_ root: String) throws -> [String: [UInt8]] {
    let names = try File.files(below: root)
    return try Dictionary(uniqueKeysWithValues: names.map { ($0, try File.bytes(at: "\(root)/\($0)")) })
  }

  @Test func theFilesAreTheTruthWhateverTheThreads() throws {
    try withTemporaryFolder { folder in
      try Self.small.write(count: 6, seed: 4, heldOutShare: 0.5, to: "\(folder)/one", threads: 1)
      try Self.small.write(count: 6, seed: 4, heldOutShare: 0.5, to: "\(folder)/three", threads: 3)
      #expect(try contents("\(folder)/one") == contents("\(folder)/three"))
      var ids: [Int] = []
      for (split, samples) in [("train", [0, 2, 4]), ("val", [1, 3, 5])] {
        let path = "\(folder)/one/annotations/person_keypoints_\(split).json"
        let file = try COCOInstances(contentsOf: path)
        #expect(file.images.map(\.id) == samples.map { $0 + 1 })
        #expect(try file.skeleton() == .coco)
        for (image, sample) in zip(file.images, samples) {
          let scene = Self.small.sample(index: sample, seed: 4)
          #expect(try File.bytes(at: "\(folder)/one/\(split)/\(image.fileName)") == JPEG.encode(scene.image, quality: 92))
          let annotations = file.annotations.filter { $0.imageID == image.id }
          #expect(annotations.map(\.points) == scene.people.map(\.keypoints))
          #expect(annotations.map(\.box) == scene.people.map(\.mask.boundingBox) && annotations.map(\.area) == scene.people.map { Double($0.mask.area) })
          #expect(annotations.allSatisfy { $0.keypointCount == $0.points.count { $0.isLabeled } })
          ids += annotations.map(\.id)
        }
        let report = COCOReport(of: file, images: "\(folder)/one/\(split)", decodesImages: true)
        #expect(report.isUsable && !report.findings.contains { $0.severity == .warning }, "\(report)")
      }
      #expect(ids.sorted() == Array(1...ids.count))
    }
  }

  @Test func valuesOutOfRangeAreNamed() {
    var settings = Self.small
    settings.mostPeople = 0
    settings.rotation = 400
    expectFailure(.usage, "most_people is 0; allowed: fewest_people (1) to 100", "rotation is 400.0; allowed: 0 to 180 degrees") { try settings.validate() }
  }
}
