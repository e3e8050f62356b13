import Base
import Data
import Testing
import TestSupport
import Vision

@Suite("COCO panoptic files") struct COCOPanopticTests {
  private let frame = """
    {"images": [{"id": 5, "file_name": "a.jpg", "height": 2, "width": 4}],
     "categories": [{"id": 1, "name": "person", "isthing": 1}, {"id": 92, "name": "banner", "isthing": 0, "color": [1, 2, 3]}],
     "annotations": [{"image_id": 5, "file_name": "a.png", "segments_info": [
       {"id": 70000, "category_id": 1, "iscrowd": 0, "area": 4, "bbox": [0, 0, 2, 2]}, {"id": 3, "category_id": 92, "area": 3, "iscrowd": 0}]}]}
    """
  private let map = PanopticMap(height: 2, width: 4, segments: [70000, 70000, 3, 3, 70000, 70000, 3, 0])

  @Test("annotations, maps and results") func evaluation() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(frame, to: "\(folder)/panoptic.json")
      let truth = try COCOPanoptic(contentsOf: "\(folder)/panoptic.json")
      #expect(truth.categories.map(\.isThing) == [true, false] && truth.images.map(\.id) == [5])
      #expect(truth.annotations.map(\.segments) == [[
        PanopticSegment(id: 70000, category: 1, area: 4, box: BoundingBox(x: 0, y: 0, width: 2, height: 2)), PanopticSegment(id: 3, category: 92, area: 3),
      ]])
      try map.write(to: "\(folder)/a.png")
      #expect(try PanopticMap(contentsOf: "\(folder)/a.png") == map)
      // The person misses one of four pixels: 3/4. The banner takes it and a void pixel: 3 / (5 + 3 − 3 − 1) = 3/4.
      let predicted = PanopticMap(height: 2, width: 4, segments: [1, 2, 2, 2, 1, 1, 2, 2])
      try predicted.write(to: "\(folder)/r.png")
      let segments = [PanopticSegment(id: 1, category: 1), PanopticSegment(id: 2, category: 92)]
      let annotation = COCOPanoptic.Annotation(imageID: 5, fileName: "r.png", segments: segments)
      try COCOPanoptic.writeResults([annotation], to: "\(folder)/results.json")
      let results = try COCOPanoptic(contentsOf: "\(folder)/results.json")
      #expect(results.annotations == [annotation] && results.categories.isEmpty)
      let quality = try truth.quality(of: results, maps: folder, resultMaps: folder)
      #expect(quality.all == PanopticQuality.Score(pq: 0.75, sq: 0.75, rq: 1, count: 2))
      #expect(quality.things.pq == 0.75 && quality.stuff.pq == 0.75)
      let own = try truth.quality(of: truth, maps: folder, resultMaps: folder)
      #expect(own.all == PanopticQuality.Score(pq: 1, sq: 1, rq: 1, count: 2))
    }
  }

  @Test("what does not fit is told with the file") func errors() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(frame, to: "\(folder)/panoptic.json")
      try map.write(to: "\(folder)/a.png")
      let truth = try COCOPanoptic(contentsOf: "\(folder)/panoptic.json")
      let none = COCOPanoptic(path: "r.json", annotations: [])
      expectFailure(.badData, "r.json: no result for the image 5") { try truth.quality(of: none, maps: folder, resultMaps: folder) }
      let other = COCOPanoptic(path: "r.json", annotations: [COCOPanoptic.Annotation(imageID: 5, fileName: "a.png", segments: [])])
      expectFailure(.badData, "a.png: the predicted panoptic map has the segment 3, which is not listed") {
        try truth.quality(of: other, maps: folder, resultMaps: folder)
      }
      try AtomicFile.write("{\"annotations\": [{\"image_id\": 1, \"file_name\": \"a\", \"segments_info\": [{\"id\": 16777216}]}]}", to: "\(folder)/bad.json")
      expectFailure(.badData, "annotations[0].segments_info[0]: the segment 16777216") { try COCOPanoptic(contentsOf: "\(folder)/bad.json") }
      try Image(height: 1, width: 2, channels: 1).write(to: "\(folder)/grey.png")
      expectFailure(.badData, "this PNG is grey") { try PanopticMap(contentsOf: "\(folder)/grey.png") }
      try Image16(height: 1, width: 2, channels: 3, samples: Array(repeating: 9, count: 6)).write(to: "\(folder)/deep.png")
      expectFailure(.badData, "16 bits a sample") { try PanopticMap(contentsOf: "\(folder)/deep.png") }
      expectFailure(.badData, "expected a PNG") { try PanopticMap(contentsOf: "\(folder)/bad.json") }
    }
  }
}
