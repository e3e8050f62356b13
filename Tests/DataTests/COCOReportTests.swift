import Base
import Data
import Testing
import TestSupport
import Vision

/// One test for each finding, with its message.
@Suite("Data report of COCO files") struct COCOReportTests {
  private let image = COCOImage(id: 1, fileName: "a.png", height: 100, width: 200)
  private let second = COCOImage(id: 2, fileName: "b.png", height: 100, width: 200)
  private let category = COCOCategory(id: 5, name: "bird")

  private func box(_ id: Int, _ x: Double, _ y: Double, _ width: Double, _ height: Double, image: Int = 1, category: Int = 5) -> COCOAnnotation {
    COCOAnnotation(id: id, imageID: image, categoryID: category, box: BoundingBox(x: x, y: y, width: width, height: height), area: width * height)
  }

  private func file(_ annotations: [COCOAnnotation], images: [COCOImage]? = nil, categories: [COCOCategory]? = nil) -> COCOInstances {
    COCOInstances(path: "x.json", images: images ?? [image], categories: categories ?? [category], annotations: annotations)
  }

  /// The report has this finding and, apart from the allowed ones, no other.
  private func expect(
    _ report: COCOReport, _ kind: COCOReport.Kind, _ severity: COCOReport.Severity, _ examples: [String], count: Int? = nil, message: String,
    besides others: Set<COCOReport.Kind> = [], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(Set(report.findings.map(\.kind)).subtracting(others) == [kind], sourceLocation: sourceLocation)
    guard let finding = report.finding(kind) else { return }
    #expect(finding.examples == examples && finding.count == count ?? examples.count && finding.severity == severity, sourceLocation: sourceLocation)
    let line = report.description.split(separator: "\n").first { $0.contains(finding.message) }
    #expect(line?.contains(message) == true, "'\(message)' in \(report)", sourceLocation: sourceLocation)
    for example in examples { #expect(line?.contains(example) == true, sourceLocation: sourceLocation) }
    #expect(report.isUsable == (severity != .error), sourceLocation: sourceLocation)
  }

  @Test("a sound file") func sound() {
    let report = COCOReport(of: file([box(1, 10, 10, 50, 50)]))
    #expect(report.findings.isEmpty && report.isUsable)
    #expect(report.description == "x.json: 1 images, 1 annotations, 1 categories\nnothing to report\n")
  }

  @Test("boxes without area") func emptyBoxes() {
    let boxes = [box(1, 10, 10, 50, 50), box(2, 10, 10, 0, 5), box(3, 10, 10, 5, -1), box(4, .nan, 0, 5, 5), box(5, 0, 0, .infinity, 5)]
    expect(COCOReport(of: file(boxes)), .emptyBoxes, .warning, ["2", "3", "4", "5"], message: "dropped")
  }

  @Test("boxes that reach beyond the image") func outsideBoxes() {
    // A hundredth of a pixel is rounding.
    let boxes = [box(1, 10, 10, 50, 50), box(2, -3, 10, 50, 50), box(3, 150, 10, 60, 50), box(4, 150, 10, 50.005, 50)]
    expect(COCOReport(of: file(boxes)), .outsideBoxes, .warning, ["2", "3"], message: "clipped to the image")
  }

  @Test("boxes beyond the image") func lostBoxes() {
    let boxes = [box(1, 10, 10, 50, 50), box(2, 11, 10, 50, 50), box(3, 200, 10, 50, 50)]
    expect(COCOReport(of: file(boxes)), .lostBoxes, .warning, ["3"], message: "dropped")
  }

  @Test("boxes that look normalised") func normalizedBoxes() {
    let boxes = [box(1, 0.1, 0.2, 0.5, 0.5), box(2, 0, 0, 1, 1)]
    expect(COCOReport(of: file(boxes)), .normalizedBoxes, .error, ["1", "2"], message: "multiply them by width and height")
  }

  @Test("boxes that look like corners") func cornerBoxes() {
    let boxes = [box(1, 100, 50, 180, 90), box(2, 60, 60, 190, 99), box(3, 5, 5, 20, 20)]
    expect(COCOReport(of: file(boxes)), .cornerBoxes, .error, ["1", "2"], message: "write x, y, width and height")
  }

  @Test("broken polygons and misfit masks") func segmentations() throws {
    var broken = box(1, 10, 10, 50, 50)
    broken.segmentation = .polygons([[1, 2, 3, 4], [1, 2, 30, 2, 30, 40]])
    expect(COCOReport(of: file([broken])), .brokenPolygons, .warning, ["1"], message: "passed over")
    var misfit = box(2, 10, 10, 50, 50)
    misfit.segmentation = .runLengths(try RunLengthMask(height: 3, width: 3, counts: [3, 6]))
    expect(COCOReport(of: file([misfit])), .misfitMasks, .warning, ["2"], message: "matches nothing")
  }

  @Test("unknown categories and images") func unknown() {
    let good = box(1, 10, 10, 50, 50)
    expect(COCOReport(of: file([good, box(2, 10, 10, 50, 50, category: 6)])), .unknownCategories, .warning, ["2"], message: "dropped")
    expect(COCOReport(of: file([good, box(3, 10, 10, 50, 50, image: 9)])), .unknownImages, .warning, ["3"], message: "dropped")
  }

  @Test("ids that occur twice") func duplicates() {
    let good = box(1, 10, 10, 50, 50)
    expect(COCOReport(of: file([good, box(1, 20, 10, 50, 50)])), .duplicateAnnotations, .warning, ["1"], message: "all are kept")
    expect(COCOReport(of: file([good], images: [image, image])), .duplicateImages, .error, ["1"], message: "an id of its own")
    expect(COCOReport(of: file([good], categories: [category, COCOCategory(id: 5, name: "cat")])), .duplicateCategories, .error, ["5"],
           message: "an id of its own")
  }

  @Test("missing and damaged files") func files() throws {
    try withTemporaryFolder { folder in
      let small = COCOImage(id: 3, fileName: "c.png", height: 4, width: 5)
      try Image(height: 4, width: 5, channels: 3).write(to: "\(folder)/c.png")
      let broken = COCOImage(id: 4, fileName: "d.png", height: 4, width: 5)
      try AtomicFile.write("not a picture", to: "\(folder)/d.png")
      let turned = COCOImage(id: 5, fileName: "c.png", height: 5, width: 4)
      let objects = [box(1, 10, 10, 50, 50), box(2, 1, 1, 3, 3, image: 3), box(3, 1, 1, 3, 3, image: 4), box(4, 1, 1, 3, 3, image: 5)]
      let file = file(objects, images: [image, small, broken, turned])
      expect(COCOReport(of: file, images: folder), .missingFiles, .error, ["a.png"], message: "check the folder")
      expect(COCOReport(of: file, images: folder, decodesImages: true), .imageSizes, .error, ["d.png", "c.png"], message: "boxes would not fit",
             besides: [.missingFiles])
    }
  }

  @Test("missing keys") func missingKeys() throws {
    let frame = "\"images\": [{\"id\": 1, \"file_name\": \"a.png\", \"height\": 100, \"width\": 200}], \"categories\": [{\"id\": 5, \"name\": \"b\"}]"
    func report(_ keys: String) throws -> COCOReport {
      COCOReport(of: try COCOInstancesTests.read("{\"image_id\": 1, \"category_id\": 5, \(keys)}", frame: frame))
    }
    let box = "\"bbox\": [10, 10, 50, 50]"
    let polygon = "\"segmentation\": [[10, 10, 60, 10, 60, 60]]"
    expect(try report("\"id\": 4, \(box), \"iscrowd\": 0"), .missingAreas, .warning, ["4"], message: "taken from the segmentation")
    expect(try report("\"id\": 4, \(box), \"area\": 9"), .missingCrowdFlags, .warning, ["4"], message: "taken as 0")
    expect(try report("\"id\": 4, \(polygon), \"area\": 9, \"iscrowd\": 0"), .missingBoxes, .warning, ["4"], message: "taken from the segmentation")
    expect(try report("\(box), \"area\": 9, \"iscrowd\": 0"), .missingIDs, .warning, ["1"], message: "numbered anew")
  }

  @Test("annotation 0") func annotationZero() {
    expect(COCOReport(of: file([box(0, 10, 10, 50, 50)])), .annotationZero, .note, ["0"], message: "its match counts here")
  }

  @Test("what does not occur, and crowds") func occurrence() {
    let good = box(1, 10, 10, 50, 50)
    let categories = [category, COCOCategory(id: 8, name: "moose")]
    expect(COCOReport(of: file([good], categories: categories)), .emptyCategories, .warning, ["moose (id 8)"], message: "cannot be learned")
    expect(COCOReport(of: file([good], images: [image, second])), .emptyImages, .note, ["2"], message: "kept")
    var crowd = box(2, 10, 10, 50, 50)
    crowd.isCrowd = true
    expect(COCOReport(of: file([good, crowd])), .crowds, .note, ["2"], message: "no targets; ignored in evaluation")
  }

  @Test("images of both sets") func sharing() throws {
    let train = file([box(1, 10, 10, 50, 50), box(2, 10, 10, 50, 50, image: 2)], images: [image, second])
    let validation = file([], images: [COCOImage(id: 77, fileName: "b.png", height: 100, width: 200)])
    expect(COCOReport(of: train, validation: validation), .sharedImages, .error, ["b.png"], message: "scores would be too good")
    // In two folders the files tell: the same name alone is no proof.
    try withTemporaryFolder { folder in
      for (name, bytes) in [("train", [1, 2]), ("val", [1, 3])] as [(String, [UInt8])] {
        try File.createFolder("\(folder)/\(name)")
        for file in ["a.png", "b.png"] { try AtomicFile.write(bytes, to: "\(folder)/\(name)/\(file)") }
      }
      #expect(COCOReport(of: train, images: "\(folder)/train", validation: validation, validationImages: "\(folder)/val").findings.isEmpty)
      let same = COCOReport(of: train, images: "\(folder)/train", validation: validation, validationImages: "\(folder)/train")
      #expect(same.finding(.sharedImages)?.examples == ["b.png"])
    }
  }

  @Test("of many only a few are named") func many() throws {
    let boxes = (1...20).map { box($0, -1, 10, 50, 50) }
    let report = COCOReport(of: file(boxes))
    #expect(report.finding(.outsideBoxes)?.count == 20 && report.finding(.outsideBoxes)?.examples == ["1", "2", "3", "4", "5"])
    #expect(report.description.contains("1, 2, 3, 4, 5, ..."))
  }
}
