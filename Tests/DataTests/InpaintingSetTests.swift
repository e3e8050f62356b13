import Base
import Data
import Testing
import TestSupport
import Vision

/// Sets of pictures and masks on the disk: what is read and how, and what is wrong with them.
@Suite("Inpainting sets") struct InpaintingSetTests {
  private func write(_ image: Image, _ path: String) throws {
    try File.createFolder(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
    try image.write(to: path)
  }

  private func mask(_ levels: [UInt8], _ height: Int, _ width: Int, _ path: String) throws {
    try write(Image(height: height, width: width, channels: 1, pixels: levels), path)
  }

  private func set(_ root: String, _ masks: MaskSource = .freeForm(.init()), _ fit: InpaintingAugmentation.Fit = .crop, size: Int = 8) throws
    -> InpaintingSet {
    var augmentation = InpaintingAugmentation()
    augmentation.fit = fit
    return try InpaintingSet(PictureTree(root), masks, augmentation, size: size)
  }

  @Test("pictures of any depth, sorted by path, with names that no two share") func trees() throws {
    try withTemporaryFolder { root in
      for path in ["b/2.png", "b/10.png", "a/x/1.jpg", "c.png", "c.ppm"] { try write(.noise(height: 8, width: 8), "\(root)/\(path)") }
      try AtomicFile.write(Array("no picture".utf8), to: "\(root)/notes.txt")
      let tree = try PictureTree(root)
      #expect(tree.paths == ["a/x/1.jpg", "b/10.png", "b/2.png", "c.png", "c.ppm"])
      #expect(tree.names == ["a-x-1", "b-10", "b-2", "c-png", "c-ppm"])
      expectFailure(.missingInput, "nowhere") { try PictureTree("\(root)/nowhere") }
      try File.createFolder("\(root)/empty")
      try AtomicFile.write(Array("GIF89a".utf8), to: "\(root)/empty/a.gif")
      expectFailure(.missingInput, "no picture among 1 files, expected .png", "a.gif is") { try PictureTree("\(root)/empty") }
      try write(.noise(height: 8, width: 8), "\(root)/twins/a/b.png")
      try write(.noise(height: 8, width: 8), "\(root)/twins/a-b.png")
      expectFailure(.badData, "2 pictures would both be called a-b-png: a-b.png, a/b.png", "Rename") { try PictureTree("\(root)/twins") }
    }
  }

  @Test("grey, palette, opacity and 16 bits become RGB by one rule") func conversion() throws {
    try withTemporaryFolder { root in
      try write(Image(height: 1, width: 2, channels: 1, pixels: [7, 200]), "\(root)/a_grey.png")
      try write(Image(height: 1, width: 2, channels: 4, pixels: [1, 2, 3, 0, 4, 5, 6, 128]), "\(root)/b_alpha.png")
      let labels = LabelMap(height: 1, width: 2, values: [1, 0])
      try AtomicFile.write(PNG.encode(labels, palette: [RGB(9, 8, 7), RGB(250, 240, 230)]), to: "\(root)/c_palette.png")
      try Image16(height: 1, width: 2, channels: 3, samples: [0, 257, 65_535, 300, 128, 129]).write(to: "\(root)/d_deep.png")
      let set = try set(root)
      #expect(try set.picture(at: 0).pixels == [7, 7, 7, 200, 200, 200])
      #expect(try set.picture(at: 1).pixels == [1, 2, 3, 4, 5, 6])
      #expect(try set.picture(at: 2).pixels == [250, 240, 230, 9, 8, 7])
      #expect(try set.picture(at: 3).pixels == [0, 1, 255, 1, 0, 1], "16 bits are divided by 257 and rounded")
      let report = InpaintingReport(of: set, name: "set")
      #expect(report.isUsable && report.findings[.convertedImages]?.examples == [
        "a_grey.png: grey", "b_alpha.png: with opacity", "c_palette.png: palette", "d_deep.png: 16 bits",
      ])
    }
  }

  @Test("parts, reflections and mirrored copies") func fitting() throws {
    // Rows and columns are told by the value: 10 · row + column.
    let image = Image(height: 3, width: 4, channels: 1, pixels: [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23])
    #expect(image.part(top: 1, left: 1, height: 2, width: 2).pixels == [11, 12, 21, 22])
    #expect(image.part(top: 1, left: 1, height: 2, width: 2, isMirrored: true).pixels == [12, 11, 22, 21])
    #expect(image.part(top: 0, left: 0, height: 1, width: 9).pixels == [0, 1, 2, 3, 2, 1, 0, 1, 2], "without repeating the border")
    #expect(image.part(top: 0, left: 0, height: 6, width: 1).pixels == [0, 10, 20, 10, 0, 10])
    let pixel = Image(height: 1, width: 1, channels: 1, pixels: [5])
    #expect(pixel.part(top: 0, left: 0, height: 2, width: 2).pixels == [5, 5, 5, 5])
    #expect(InpaintingAugmentation().evaluated(image, size: 2).pixels == [1, 2, 11, 12], "the middle")
    try withTemporaryFolder { root in
      try write(.noise(height: 8, width: 8), "\(root)/a.png")
      try write(.noise(height: 12, width: 20, seed: 2), "\(root)/b.png")
      let set = try set(root)
      #expect(set.count == 2 && set.trainingCount == 4)
      var random = Random(seed: 1, stream: .augmentation)
      let plain = try set.trainingSample(at: 0, random: &random)
      let mirrored = try set.trainingSample(at: 2, random: &random)
      #expect(try plain.image == set.picture(at: 0))
      #expect(mirrored.image == plain.image.part(top: 0, left: 0, height: 8, width: 8, isMirrored: true) && mirrored.mask != plain.mask)
      let parts = try Swift.Set((0..<40).map { index in
        var random = Random(seed: 1, stream: .augmentation, sample: index)
        return try set.trainingSample(at: 1, random: &random).image.pixels
      })
      #expect(parts.count > 20, "of 65 places")
      #expect(try set.sample(at: 1).image == set.picture(at: 1).part(top: 2, left: 6, height: 8, width: 8))
      #expect(try set.sample(at: 1).mask == set.sample(at: 1).mask && set.sample(at: 0).mask != set.sample(at: 1).mask)
      let resized = try self.set(root, .freeForm(.init()), .resize)
      #expect(try resized.sample(at: 1).image == set.picture(at: 1).resizedAntialiased(height: 8, width: 13).part(top: 0, left: 2, height: 8, width: 8))
    }
  }

  @Test("pictures of odd sizes are named all at once") func oddSizes() throws {
    try withTemporaryFolder { root in
      for (name, height, width) in [("a", 8, 8), ("b", 9, 8), ("c", 8, 8), ("d/e", 4, 5)] {
        try write(.noise(height: height, width: width), "\(root)/\(name).png")
      }
      expectFailure(.badData, "2 of 4 pictures are not 8x8, as augmentation.fit: exact asks\nb.png: 8x9\nd/e.png: 5x4", "fit: crop") {
        try set(root, .freeForm(.init()), .exact)
      }
      let report = InpaintingReport(of: try set(root), name: "set")
      #expect(report.isUsable && report.findings[.smallImages]?.examples == ["d/e.png 5x4"])
    }
  }

  @Test("masks: which colour is the hole, grey levels, and masks that are none") func masks() throws {
    try withTemporaryFolder { root in
      try mask([0, 127, 128, 255], 2, 2, "\(root)/grey.png")
      let reading = try InpaintingMask.read(contentsOf: "\(root)/grey.png", .whiteIsKnown)
      #expect(reading.mask.known == [0, 0, 1, 1] && reading.greyShare == 0.5)
      #expect(reading.remarks == ["50.0 % of the pixels are neither black nor white; levels of 128 and more count as white"])
      #expect(try InpaintingMask.read(contentsOf: "\(root)/grey.png", .whiteIsHole).mask.known == [1, 1, 0, 0])
      try mask([0, 1, 1, 0], 2, 2, "\(root)/ones.png")
      #expect(try InpaintingMask.read(contentsOf: "\(root)/ones.png", .whiteIsKnown).remarks == [
        "50.0 % of the pixels are neither black nor white; levels of 128 and more count as white (the largest is 1: multiply them to 255)",
        "the mask has no known pixel: everything is made up",
      ])
      try mask([255, 255], 1, 2, "\(root)/full.png")
      #expect(try InpaintingMask.read(contentsOf: "\(root)/full.png", .whiteIsKnown).remarks == ["the mask has no hole: nothing is to be filled"])
      try write(Image(height: 1, width: 2, channels: 3, pixels: [255, 0, 0, 0, 255, 0]), "\(root)/color.png")
      #expect(try InpaintingMask.read(contentsOf: "\(root)/color.png", .whiteIsKnown).mask.known == [0, 1], "luma 76 and 150")
    }
  }

  @Test("masks find their pictures by name, or in order") func pairs() throws {
    try withTemporaryFolder { root in
      for name in ["x/a", "x/b", "c"] {
        try write(.noise(height: 8, width: 8), "\(root)/images/\(name).jpg")
        try mask([UInt8](repeating: 0, count: 32) + [UInt8](repeating: 255, count: 32), 8, 8, "\(root)/masks/\(name)_m.png")
      }
      let pictures = try PictureTree("\(root)/images")
      let files = try MaskFiles.paired(pictures, in: "\(root)/masks", suffix: "_m")
      #expect(files == ["c", "x/a", "x/b"].map { "\(root)/masks/\($0)_m.png" })
      let sample = try set("\(root)/images", .files(files, .whiteIsKnown)).sample(at: 1)
      #expect(sample.mask.known == [UInt8](repeating: 0, count: 32) + [UInt8](repeating: 1, count: 32))
      expectFailure(.badData, "3 of 3 pictures have no mask here: c.jpg, x/a.jpg, x/b.jpg", "masks.suffix", "pairing: order", "c_m.png") {
        try MaskFiles.paired(pictures, in: "\(root)/masks")
      }
      #expect(try MaskFiles.paired(pictures, in: "\(root)/masks", by: .order) == files)
      try mask([0], 1, 1, "\(root)/masks/z.png")
      expectFailure(.badData, "4 masks for 3 pictures; paired by order") { try MaskFiles.paired(pictures, in: "\(root)/masks", by: .order) }
      #expect(try PictureTree("\(root)/masks", without: "_m").paths == ["z.png"], "pictures and masks in one folder")
    }
  }

  @Test("masks of another size are refused") func sizes() throws {
    try withTemporaryFolder { root in
      try write(.noise(height: 10, width: 12), "\(root)/images/a.png")
      try mask([UInt8](repeating: 255, count: 63) + [0], 8, 8, "\(root)/small.png")
      try mask([UInt8](repeating: 0, count: 120), 12, 10, "\(root)/turned.png")
      try mask([UInt8](repeating: 255, count: 119) + [0], 10, 12, "\(root)/right.png")
      #expect(try set("\(root)/images", .files(["\(root)/small.png"], .whiteIsKnown)).sample(at: 0).mask.holeCount == 1)
      #expect(try set("\(root)/images", .files(["\(root)/right.png"], .whiteIsKnown)).sample(at: 0).mask.holeCount == 0, "cut with its picture")
      let turned = try set("\(root)/images", .files(["\(root)/turned.png"], .whiteIsKnown))
      expectFailure(.badData, "turned.png: the mask is 10x12, but its picture", "is 12x10", "Take the mask that belongs to the picture") {
        try turned.sample(at: 0)
      }
      let pool = try set("\(root)/images", .pool(["\(root)/right.png"], .whiteIsKnown))
      var random = Random(seed: 1, stream: .augmentation)
      expectFailure(.badData, "right.png: the mask is 12x10, but the network sees 8x8", "nearest pixel") {
        try pool.trainingSample(at: 0, random: &random)
      }
    }
  }

  @Test("the report names everything that is wrong") func report() throws {
    try withTemporaryFolder { root in
      for name in ["a", "b", "c", "d"] { try write(.noise(height: 8, width: 8), "\(root)/images/\(name).png") }
      try AtomicFile.write(Array("damaged".utf8), to: "\(root)/images/e.png")
      try mask([UInt8](repeating: 255, count: 64), 8, 8, "\(root)/masks/a.png")
      try mask([UInt8](repeating: 0, count: 64), 8, 8, "\(root)/masks/b.png")
      try mask([UInt8](repeating: 0, count: 12), 3, 4, "\(root)/masks/c.png")
      try mask([UInt8](repeating: 0, count: 32) + [UInt8](repeating: 200, count: 32), 8, 8, "\(root)/masks/d.png")
      try AtomicFile.write(Array("damaged".utf8), to: "\(root)/masks/e.png")
      let files = try MaskFiles.paired(PictureTree("\(root)/images"), in: "\(root)/masks")
      let set = try set("\(root)/images", .files(files, .whiteIsKnown))
      let report = InpaintingReport(of: set, name: "validation set", validation: set)
      #expect(!report.isUsable && report.findings.all.map { "\($0.kind) \($0.count)" } == [
        "unreadableImages 1", "unreadableMasks 1", "maskSizes 1", "sharedImages 5", "fullMasks 2", "emptyMasks 1", "greyMasks 1",
      ])
      let text = report.description
      #expect(text.hasPrefix("validation set: 5 pictures, 5 mask files by picture; white is known, black is the hole\n"))
      #expect(text.contains("error: 1 masks of another size than their picture (scale masks by the nearest pixel)\n"))
      #expect(text.contains("c.png 4x3, picture 8x8") && text.contains("d.png: 50.0 % of its pixels") && text.contains("mean hole: 62.5 %"))
      let drawn = InpaintingReport(of: try self.set("\(root)/images"), name: "training set")
      #expect(drawn.description.contains("free-form masks (large_512)") && drawn.holeShares.count == 1000)
    }
  }
}
