import Base
import Data
import Foundation
import Testing
import Vision

/// What a detector learns from and is judged by, of a file of COCO.
@Suite final class COCODetectionTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path(percentEncoded: false)

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private static let categories = [COCOCategory(id: 4, name: "cup"), COCOCategory(id: 9, name: "fork")]

  private static func annotation(_ id: Int, _ category: Int, _ box: [Double], isCrowd: Bool = false) -> COCOAnnotation {
    let box = BoundingBox(x: box[0], y: box[1], width: box[2], height: box[3])
    return COCOAnnotation(id: id, imageID: 17, categoryID: category, box: box, area: 12, isCrowd: isCrowd,
                          segmentation: .polygons([[box.x, box.y, box.x1, box.y, box.x1, box.y1, box.x, box.y1]]))
  }

  private static let annotations = [
    annotation(1, 9, [2, 3, 5, 4]), annotation(2, 4, [0, 0, 12, 8], isCrowd: true), annotation(3, 4, [8, 5, 10, 10]),
    annotation(4, 4, [20, 2, 3, 3]), annotation(5, 77, [1, 1, 2, 2]), annotation(6, 9, [3, 3, 0, 2]),
  ]

  /// One image of 12x8 pixels under the id 17.
  private func open(
    _ classes: CategoryMap, masks: Bool = true, width: Int = 12, annotations: [COCOAnnotation] = COCODetectionTests.annotations
  ) throws -> COCODetection {
    try File.createFolder(folder + "/images")
    try Image(height: 8, width: 12, channels: 3, pixels: [UInt8](repeating: 50, count: 288)).write(to: folder + "/images/a.png")
    try COCOInstances(path: "", images: [COCOImage(id: 17, fileName: "a.png", height: 8, width: width)], categories: Self.categories,
                      annotations: annotations).write(to: folder + "/o.json")
    return try COCODetection(folder + "/o.json", images: folder + "/images", classes: classes, readsMasks: masks)
  }

  @Test("objects are clipped and have classes; crowds, unknown categories and what lies outside are no targets")
  func objects() throws {
    let set = try open(CategoryMap(ids: [4, 9]))
    let example = try set.sample(at: 0)
    #expect(set.count == 1 && set.name(of: 0) == "a" && set.categoryIDs == [4, 9] && example.image == 17)
    #expect(example.sample.objects.map(\.label) == [1, 0])
    let boxes = [BoundingBox(x: 2, y: 3, width: 5, height: 4), BoundingBox(x: 8, y: 5, width: 4, height: 3)]
    #expect(example.sample.objects.map(\.box) == boxes)
    let mask = example.sample.objects[0].mask
    #expect(mask.count == 96 && mask.map(Int.init).reduce(0, +) == 20 && mask[3 * 12 + 2] == 1 && mask[2 * 12 + 2] == 0)
    // Judged by are all, as they are in the file.
    #expect(example.annotations.map(\.id) == [1, 2, 3, 4, 5, 6] && example.masks.count == 6)
    #expect(example.annotations.filter(\.isCrowd).map(\.id) == [2])
  }

  @Test("without masks none are made") func boxesOnly() throws {
    let example = try open(CategoryMap(ids: [4, 9]), masks: false).sample(at: 0)
    #expect(example.masks.isEmpty && example.sample.objects.allSatisfy { $0.mask.isEmpty } && example.sample.objects.count == 2)
  }

  @Test("category ids as classes") func identity() throws {
    let set = try open(CategoryMap(ids: Array(0..<10)))
    #expect(try set.sample(at: 0).sample.objects.map(\.label) == [9, 4])
  }

  @Test("a map goes both ways") func maps() {
    let gaps = CategoryMap(ids: [4, 9]), identity = CategoryMap(ids: Array(0..<3))
    #expect([4, 9, 5].map(gaps.classIndex(of:)) == [0, 1, nil] && [0, 1].map(gaps.id(of:)) == [4, 9])
    #expect([0, 2, 3, -1].map(identity.classIndex(of:)) == [0, 2, nil, nil] && identity.id(of: 2) == 2)
  }

  @Test("a category that is no class is named with its annotation") func unknownClass() throws {
    let outside = #expect(throws: Failure.self) { try self.open(CategoryMap(ids: Array(0..<9))) }
    #expect(outside?.kind == .badData && outside?.place == "\(folder)/o.json: annotation 1")
    #expect(outside?.problem == "category 9 is no class of the network, which has the ids 0 to 8")
    let listed = #expect(throws: Failure.self) { try self.open(CategoryMap(ids: [9])) }
    #expect(listed?.problem == "category 4 is no class of the network, which has the ids [9]")
  }

  @Test("an image of another size is refused") func size() throws {
    let set = try open(CategoryMap(ids: [4, 9]), width: 13, annotations: [])
    let failure = #expect(throws: Failure.self) { try set.sample(at: 0) }
    #expect(failure?.kind == .badData && failure?.problem.contains("the image is 12x8, but \(folder)/o.json says 13x8") == true)
  }

  @Test("the categories of a file by id") func categories() throws {
    _ = try open(CategoryMap(ids: [4, 9]))
    #expect(try COCODetection.categories(of: folder + "/o.json").map(\.id) == [4, 9])
  }
}
