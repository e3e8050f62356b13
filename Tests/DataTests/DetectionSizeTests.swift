import Data
import Foundation
import Testing
import TestSupport

/// Against the authors' code, `Tests/Fixtures/make_resize.py`.
@Suite("Sizes of detection") struct DetectionSizeTests {
  @Test("the sizes that the recipe resizes to are the authors'") func sizes() throws {
    let text = try Fixture("pillow_resize").file.metadata["sizes"] ?? ""
    let rows = try JSONDecoder().decode([[Int]].self, from: Foundation.Data(text.utf8))
    #expect(rows.count == 140)
    for row in rows {
      let size = DetectionAugmentation.size(height: row[1], width: row[0], shorter: row[2], longest: row[3] > 0 ? row[3] : nil)
      #expect(size.width == row[4] && size.height == row[5], "\(row)")
    }
  }
}
