import Base
import Data
import Testing
import TestSupport
import Vision

/// Sets on the disk: layouts, pairs, and what is wrong with them.
@Suite("Segmentation sets") struct SegmentationSetTests {
  private func write(_ values: [UInt16], _ height: Int, _ width: Int, _ path: String) throws {
    try File.createFolder(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
    try AtomicFile.write(PNG.encode(LabelMap(height: height, width: width, values: values), palette: []), to: path)
  }

  private func picture(_ path: String, height: Int = 2, width: Int = 3) throws {
    try File.createFolder(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
    try Image.noise(height: height, width: width).write(to: path)
  }

  private func table(_ classes: Int, _ rules: LabelRules = LabelRules()) -> LabelTable { LabelTable(rules, classes: classes) }

  @Test("Cityscapes' layout and its list files") func cityscapes() throws {
    try withTemporaryFolder { root in
      for (city, name) in [("ulm", "ulm_000001_000019"), ("bonn", "bonn_000000_000019"), ("bonn", "bonn_000010_000019")] {
        try picture("\(root)/leftImg8bit/train/\(city)/\(name)_leftImg8bit.png")
        try write([7, 8, 11, 0, 255, 33], 2, 3, "\(root)/gtFine/train/\(city)/\(name)_gtFine_labelIds.png")
      }
      let files = try SegmentationFiles.cityscapes(root, split: "train")
      #expect(files.pairs.map(\.name) == ["bonn_000000_000019", "bonn_000010_000019", "ulm_000001_000019"])
      let set = SegmentationSet(files, table(19, LabelRules(.cityscapes)))
      #expect(try set.sample(at: 2).labels.values == [0, 1, 2, 255, 255, 18])
      let line = "leftImg8bit/train/ulm/ulm_000001_000019_leftImg8bit.png\tgtFine/train/ulm/ulm_000001_000019_gtFine_labelIds.png"
      try AtomicFile.write(Array("# a part\n\n\(line)\n".utf8), to: "\(root)/train.lst")
      #expect(try SegmentationFiles.list("\(root)/train.lst", root: root).pairs == [files.pairs[2]])
      try AtomicFile.write(Array("\(line)\nalone.png\n".utf8), to: "\(root)/bad.lst")
      expectFailure(.badData, "bad.lst:2", "expected a picture and its label file") { try SegmentationFiles.list("\(root)/bad.lst", root: root) }
      try AtomicFile.write(Array("a.png b.png\n".utf8), to: "\(root)/gone.lst")
      expectFailure(.badData, "2 files of the list are not there") { try SegmentationFiles.list("\(root)/gone.lst", root: root) }
      try File.removeTree("\(root)/gtFine/train/ulm")
      expectFailure(.badData, "1 files of gtFine/train", "ulm_000001_000019_gtFine_labelIds.png") {
        try SegmentationFiles.cityscapes(root, split: "train")
      }
      expectFailure(.missingInput, "leftImg8bit/val", "gtFine_trainvaltest.zip") { try SegmentationFiles.cityscapes(root, split: "val") }
    }
  }

  @Test("plain folders, by stems") func folders() throws {
    try withTemporaryFolder { root in
      for name in ["b", "a10", "a9"] {
        try picture("\(root)/images/\(name).png")
        try write([0, 1, 0, 1, 255, 1], 2, 3, "\(root)/labels/\(name)_mask.png")
      }
      let files = try SegmentationFiles.folders(images: "\(root)/images", labels: "\(root)/labels", labelSuffix: "_mask")
      #expect(files.pairs.map(\.name) == ["a9", "a10", "b"])
      try AtomicFile.write(Array("b\na10.png\n".utf8), to: "\(root)/split.txt")
      let part = try SegmentationFiles.folders(
        images: "\(root)/images", labels: "\(root)/labels", labelSuffix: "_mask", list: "\(root)/split.txt")
      #expect(part.pairs.map(\.name) == ["b", "a10"])
      expectFailure(.badData, "3 of 3 pictures have no label file here: a9.png", "data.label_suffix", "a9_mask.png") {
        try SegmentationFiles.folders(images: "\(root)/images", labels: "\(root)/labels")
      }
      try AtomicFile.write(Array("c\n".utf8), to: "\(root)/split.txt")
      expectFailure(.badData, "split.txt", "1 listed pictures are not in") {
        try SegmentationFiles.folders(images: "\(root)/images", labels: "\(root)/labels", labelSuffix: "_mask", list: "\(root)/split.txt")
      }
    }
  }

  @Test("pictures and label files in one folder") func oneFolder() throws {
    try withTemporaryFolder { root in
      for name in ["a", "b"] {
        try picture("\(root)/all/\(name).png")
        try write([0, 1, 0, 1, 255, 1], 2, 3, "\(root)/all/\(name)_seg.png")
      }
      let files = try SegmentationFiles.folders(images: "\(root)/all", labels: "\(root)/all", labelSuffix: "_seg")
      #expect(files.pairs.map(\.name) == ["a", "b"] && files.pairs.allSatisfy { $0.label.hasSuffix("_seg.png") })
    }
  }

  @Test("classes that no label has, where the set is small") func absentClasses() throws {
    try withTemporaryFolder { root in
      for (name, label) in [("a", UInt16(0)), ("b", 3)] {
        try picture("\(root)/i/\(name).png")
        try write([label, 0, 255, 0, 0, 0], 2, 3, "\(root)/l/\(name).png")
      }
      let set = SegmentationSet(try .folders(images: "\(root)/i", labels: "\(root)/l"), table(4))
      #expect(try set.absentClasses() == [1, 2])
      #expect(try set.absentClasses(within: 11) == nil)
    }
  }

  @Test("a label of another size than its picture") func sizes() throws {
    try withTemporaryFolder { root in
      try picture("\(root)/i/a.png", height: 3, width: 2)
      try write([0, 1, 0, 1, 1, 1], 2, 3, "\(root)/l/a.png")
      let set = SegmentationSet(try .folders(images: "\(root)/i", labels: "\(root)/l"), table(2))
      expectFailure(.badData, "the labels are 3x2, but their picture", "is 2x3") { try set.sample(at: 0) }
    }
  }

  @Test("masks are found before training, where 255 is ignored") func masks() throws {
    try withTemporaryFolder { root in
      for name in ["a", "b"] {
        try picture("\(root)/i/\(name).png")
        try write([0, 255, 0, 255, 0, 0], 2, 3, "\(root)/l/\(name).png")
      }
      let files = try SegmentationFiles.folders(images: "\(root)/i", labels: "\(root)/l")
      expectFailure(.badData, "these are masks: in 2 label files only 0 and 255 occur", "binary_mask") {
        try SegmentationSet(files, table(2)).requireNoMasks()
      }
      try SegmentationSet(files, table(2, LabelRules(.binaryMask))).requireNoMasks()
      try write([0, 255, 0, 255, 0, 1], 2, 3, "\(root)/l/b.png")
      try SegmentationSet(files, table(2)).requireNoMasks()
    }
  }

  @Test("the report names everything at once") func report() throws {
    try withTemporaryFolder { root in
      for name in ["a", "b", "c", "d", "e"] { try picture("\(root)/i/\(name).png") }
      try write([0, 0, 0, 0, 0, 9], 2, 3, "\(root)/l/a.png")
      try write([0, 0, 2, 255], 2, 2, "\(root)/l/b.png")
      try Image.noise(height: 2, width: 3).write(to: "\(root)/l/c.png")
      try AtomicFile.write([1, 2, 3], to: "\(root)/l/d.png")
      try write([255, 255, 255, 255, 255, 255], 2, 3, "\(root)/l/e.png")
      let files = try SegmentationFiles.folders(images: "\(root)/i", labels: "\(root)/l")
      let set = SegmentationSet(files, table(3))
      let report = SegmentationReport(of: set, name: "training set", validation: set)
      let found = report.findings.all.map { "\($0.kind) \($0.count)" }
      #expect(found == ["unreadableLabels 1", "colorLabels 1", "labelSizes 1", "unknownValues 1", "sharedImages 5", "absentClasses 1",
                        "emptyLabels 1", "ignoredValues 1"])
      #expect(!report.isUsable)
      let text = report.description
      for words in ["a.png: 9 (1 px)", "b.png 2x2, picture 3x2", "RGB picture of 6 colours", "class 1 (1)", "255 (7 px)"] {
        #expect(text.contains(words), "'\(words)' in \(text)")
      }
      #expect(report.classes.map(\.pixels) == [7, 0, 1] && report.ignoredPixels == 7)
    }
  }

  @Test("a sound set, and one of masks") func soundAndMasks() throws {
    try withTemporaryFolder { root in
      try picture("\(root)/i/a.png")
      try write([0, 0, 1, 1, 0, 0], 2, 3, "\(root)/l/a.png")
      let files = try SegmentationFiles.folders(images: "\(root)/i", labels: "\(root)/l")
      let sound = SegmentationReport(of: SegmentationSet(files, table(2)), name: "x")
      #expect(sound.isUsable && sound.findings.all.isEmpty && sound.description.contains("nothing to report"))
      #expect(sound.description.contains("66.7 %"))
      try write([0, 0, 255, 255, 0, 0], 2, 3, "\(root)/l/a.png")
      let masks = SegmentationReport(of: SegmentationSet(files, table(2)), name: "x")
      #expect(masks.findings.all.map(\.kind) == [.masks, .absentClasses, .ignoredValues] && !masks.isUsable)
    }
  }
}
