import Base
import Data
import Testing
import TestSupport
import Vision

/// Re-identification sets as they lie on the disk, batches of identities, and the changes of crops.
@Suite("Sets of identities") struct IdentitySetTests {
  private func write(_ names: [String], in folder: String, height: Int = 24, width: Int = 12) throws {
    for (index, name) in names.enumerated() {
      let path = "\(folder)/\(name)"
      try File.createFolder(Path.folder(path))
      try Image.noise(height: height, width: width, seed: UInt64(index)).write(to: path)
    }
  }

  @Test("Market-1501: names, cameras, junk and distractors") func market() throws {
    try withTemporaryFolder { root in
      try write(["0002_c1s1_000451_03.jpg", "0002_c2s1_000500_01.jpg", "0007_c1s2_000001_01.jpg"], in: "\(root)/bounding_box_train")
      try write(["0001_c1s1_001051_00.jpg"], in: "\(root)/query")
      try write(["-1_c1s1_000401_03.jpg", "0000_c1s1_000151_01.jpg", "0001_c2s1_001051_00.jpg"], in: "\(root)/bounding_box_test")
      let training = try IdentitySet.market(root, .training)
      #expect(training.identities == ["0002", "0007"] && training.labels == [0, 0, 1])
      #expect(training.crops.map(\.camera) == ["c1", "c2", "c1"] && training.crops[2].tracklet == "c1s2")
      #expect(training.name(of: 0) == "0002_c1s1_000451_03" && training.notes.isEmpty)
      let sample = try training.sample(at: 2)
      #expect(sample.identity == 1 && sample.image.height == 24 && sample.image.width == 12 && sample.image.channels == 3)
      let gallery = try IdentitySet.market(root, .gallery)
      #expect(gallery.identities == ["0000", "0001"] && gallery.notes.count == 1)
      #expect(try IdentitySet.market(root, .query).count == 1)
      try write(["portrait.jpg"], in: "\(root)/query")
      expectFailure(.badData, "portrait.jpg", "0002_c1s1_000451_03.jpg", "format: folders") { try IdentitySet.market(root, .query) }
      expectFailure(.missingInput, "bounding_box_train") { try IdentitySet.market("\(root)/query", .query) }
    }
  }

  @Test("MARS: folders, tracklets and what stands for the queries") func mars() throws {
    try withTemporaryFolder { root in
      try write(["0001/0001C1T0001F001.jpg", "0001/0001C2T0002F001.jpg", "0003/0003C1T0001F001.jpg"], in: "\(root)/bbox_train")
      let names = ["0002/0002C1T0001F001.jpg", "0002/0002C1T0001F002.jpg", "0002/0002C1T0002F001.jpg", "0002/0002C2T0003F001.jpg",
                   "00-1/00-1C1T0001F001.jpg", "0000/0000C1T0001F001.jpg"]
      try write(names, in: "\(root)/bbox_test")
      let training = try IdentitySet.mars(root, .training)
      #expect(training.identities == ["0001", "0003"] && training.crops[1].camera == "c2" && training.crops[1].tracklet == "t0002")
      let query = try IdentitySet.mars(root, .query), gallery = try IdentitySet.mars(root, .gallery)
      #expect(query.crops.map(\.name) == ["0002C1T0001F001", "0002C1T0001F002", "0002C2T0003F001"])
      #expect(gallery.crops.map(\.name) == ["0000C1T0001F001", "0002C1T0002F001"])
      #expect(query.notes.contains { $0.contains("info/*.mat is not read") })
      #expect(query.thinned(perTracklet: 1).count == 2)
      try write(["0002/other.jpg"], in: "\(root)/bbox_test")
      expectFailure(.badData, "other.jpg", "0001C1T0002F003.jpg") { try IdentitySet.mars(root, .gallery) }
    }
  }

  @Test("a folder for each identity") func folders() throws {
    try withTemporaryFolder { root in
      try write(["mug/1.png", "mug/2.png", "bowl/a.png", "cup/1.png"], in: root)
      let set = try IdentitySet.folders(root)
      #expect(set.identities == ["bowl", "cup", "mug"] && set.labels == [0, 1, 2, 2] && set.name(of: 3) == "mug-2")
      let common = set.filtered(withAtLeast: 2)
      #expect(common.identities == ["mug"] && common.labels == [0, 0])
      expectFailure(.missingInput, "IDENTITY") { try IdentitySet.folders("\(root)/mug") }
    }
  }

  @Test("boxes of the ground truth: pixels from 1, hidden and low ones left out, scenes once") func sequences() throws {
    try withTemporaryFolder { root in
      for name in ["MOT17-02-DPM", "MOT17-02-SDP"] {
        try write(["img1/000001.png", "img1/000002.png"], in: "\(root)/\(name)", height: 60, width: 80)
        try File.createFolder("\(root)/\(name)/gt")
        try AtomicFile.write("""
          1,4,11,6,20,40,1,1,1
          1,5,31,6,20,40,1,1,0.2
          1,6,31,6,10,12,1,1,1
          1,7,31,6,20,40,0,3,1
          2,4,12,6,20,40,1,1,0.9

          """, to: "\(root)/\(name)/gt/gt.txt")
      }
      let set = try IdentitySet.sequences(root)
      #expect(set.identities == ["MOT17-02-4"] && set.crops.map(\.name) == ["MOT17-02-4-1", "MOT17-02-4-2"])
      #expect(set.crops[0].box == BoundingBox(x: 10, y: 5, width: 20, height: 40) && set.notes.count == 1)
      let frame = try Image(contentsOf: "\(root)/MOT17-02-DPM/img1/000001.png")
      #expect(try set.sample(at: 0).image == frame.cropped(rows: 5..<45, columns: 10..<30))
      var cropping = TruthCropping()
      (cropping.minVisibility, cropping.every) = (0, 2)
      #expect(try IdentitySet.sequences(root, cropping).identities == ["MOT17-02-4", "MOT17-02-5"])
    }
  }

  @Test("the part around a box has its height and centre, and half of its height as width") func parts() throws {
    let image = Image.noise(height: 50, width: 60)
    let part = try #require(image.part(around: BoundingBox(x: 20.7, y: 10.9, width: 10, height: 20), aspect: 0.5))
    #expect(part == image.cropped(rows: 10..<30, columns: 20..<30))
    let wide = try #require(image.part(around: BoundingBox(x: 20, y: 10, width: 30, height: 20), aspect: 0.5))
    #expect(wide == image.cropped(rows: 10..<30, columns: 30..<40))
    let clipped = try #require(image.part(around: BoundingBox(x: -4, y: 40, width: 10, height: 20), aspect: 0.5))
    #expect(clipped == image.cropped(rows: 40..<50, columns: 0..<6))
    for x in [60, 1000, -.infinity, .nan] as [Double] { #expect(image.part(around: BoundingBox(x: x, y: 0, width: 10, height: 20), aspect: 0.5) == nil) }
  }

  // MARK: Batches of identities

  @Test("every batch has P identities with K crops, from any step, and an epoch meets all identities") func batches() {
    let labels = (0..<100).map { $0 % 12 }
    let order = BatchOrder(labels: labels, perLabel: 4, batchSize: 24, seed: 5)
    #expect(order.batchesPerEpoch == 4)
    var met: Set<Int> = []
    for batch in 0..<20 {
      let places = order.places(ofBatch: batch)
      #expect(places.count == 24 && places.allSatisfy { $0.epoch == batch / 4 })
      let counts = Dictionary(places.map { (labels[$0.index], 1) }, uniquingKeysWith: +)
      #expect(counts.count == 6 && counts.values.allSatisfy { $0 == 4 })
      #expect(Set(places.map(\.index)).count == 24, "no crop twice where there are enough")
      if batch < 4 { met.formUnion(counts.keys) }
      #expect(places == BatchOrder(labels: labels, perLabel: 4, batchSize: 24, seed: 5).places(ofBatch: batch))
    }
    #expect(met.count == 12)
    #expect(order.places(ofBatch: 0) != order.places(ofBatch: 4))
    #expect(BatchOrder(labels: labels, perLabel: 4, batchSize: 24, seed: 6).places(ofBatch: 0) != order.places(ofBatch: 0))
  }

  @Test("identities with fewer crops than K repeat them; a set smaller than a batch still fills it") func rare() {
    let order = BatchOrder(labels: [0, 1, 1, 2, 2, 2], perLabel: 4, batchSize: 12, seed: 5)
    #expect(order.batchesPerEpoch == 1)
    for batch in 0..<5 {
      let counts = Dictionary(order.places(ofBatch: batch).map { ($0.index, 1) }, uniquingKeysWith: +)
      #expect(counts[0] == 4 && counts[1] == 2 && counts[2] == 2 && counts.values.reduce(0, +) == 12)
    }
  }

  // MARK: Changes

  @Test("without changes a crop is resized, with all of them it depends on the draws alone") func augmentation() {
    let sample = IdentitySample(image: .noise(height: 40, width: 30), identity: 7)
    var random = Random(seed: 1, stream: .augmentation)
    let start = random
    let plain = AppearanceAugmentation.none(sample, height: 32, width: 16, random: &random)
    #expect(random == start && plain.identity == 7)
    #expect(plain.pixels == sample.image.resized(height: 32, width: 16).pixels.map(Float.init))
    let augmentation = AppearanceAugmentation()
    var results: Set<[Float]> = []
    for index in 0..<8 {
      var (a, b) = (Random(seed: 1, stream: .augmentation, sample: index), Random(seed: 1, stream: .augmentation, sample: index))
      let first = augmentation(sample, height: 32, width: 16, random: &a)
      #expect(first.pixels == augmentation(sample, height: 32, width: 16, random: &b).pixels && first.pixels.count == 32 * 16 * 3)
      results.insert(first.pixels)
    }
    #expect(results.count == 8)
  }

  @Test("an erased rectangle has the mean colour and about the area that was drawn") func erasing() {
    var augmentation = AppearanceAugmentation.none
    (augmentation.eraseProbability, augmentation.eraseMinimum, augmentation.eraseMaximum) = (1, 0.2, 0.2)
    let sample = IdentitySample(image: .noise(height: 64, width: 64), identity: 0)
    for index in 0..<10 {
      var random = Random(seed: 2, stream: .augmentation, sample: index)
      let result = augmentation(sample, height: 64, width: 64, random: &random)
      let changed = (0..<64 * 64).filter { pixel in (0..<3).contains { result.pixels[3 * pixel + $0] != Float(sample.image.pixels[3 * pixel + $0]) } }
      #expect((0.1...0.21).contains(Double(changed.count) / 4096))
    }
  }

  // MARK: The report

  @Test("what is wrong with a set is told at once") func report() throws {
    try withTemporaryFolder { root in
      try write(["a/1.png", "a/2.png", "b/1.png"], in: "\(root)/train")
      try write(["c/1.png", "a/3.png"], in: "\(root)/val")
      try AtomicFile.write("no picture", to: "\(root)/train/b/2.png")
      let validation = try IdentitySet.folders("\(root)/val")
      let sets = RetrievalSet(query: validation, gallery: nil)
      let report = IdentityReport(of: try .folders("\(root)/train"), name: "training set", minCrops: 3, validation: sets)
      #expect(!report.isUsable && report.findings[.unreadableImages]?.count == 1 && report.findings[.rareIdentities]?.count == 2)
      #expect(report.findings[.sharedIdentities]?.examples == ["a"])
      #expect(report.description.contains("training set: 4 pictures of 2 identities, cameras are not known"))
      let queries = IdentityReport(of: validation, name: "validation set", gallery: validation)
      #expect(queries.isUsable && queries.findings[.unmatchedQueries]?.count == 2)
    }
  }
}
