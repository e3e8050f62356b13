import Base
import Testing
import TestSupport
import Vision

/// PSNR, SSIM and L1 against scikit-image.
@Suite("Similarity of pictures") struct ImageSimilarityTests {
  private func pictures(_ item: String) throws -> (fixture: Fixture, similarity: ImageSimilarity) {
    let fixture = try Fixture("inpainting_metrics")
    let size = try fixture.settings(item).ints("size")
    func image(_ name: String) throws -> Image {
      Image(height: size[0], width: size[1], channels: size[2], pixels: try fixture.bytes("\(item)/\(name)"))
    }
    return (fixture, ImageSimilarity(try image("first"), try image("second")))
  }

  @Test("the numbers are scikit-image's", arguments: Fixture.cases(of: "pictures", in: "inpainting_metrics")) func reference(_ item: String) throws {
    let (fixture, similarity) = try pictures(item)
    let settings = try fixture.settings(item)
    if settings.has("psnr") {
      #expect(try abs(similarity.psnr - settings.double("psnr")) <= 1e-9)
    } else {
      #expect(similarity.psnr == .infinity)
    }
    #expect(try abs(similarity.ssim - settings.double("ssim")) <= 1e-9)
    #expect(try abs(similarity.l1 - settings.double("l1")) <= 1e-12)
    let hole = try fixture.bytes("\(item)/hole").map { $0 != 0 }
    #expect(try abs(#require(similarity.l1(over: hole)) - settings.double("l1_hole")) <= 1e-12)
  }

  @Test("there are cases") func cases() { #expect(Fixture.cases(of: "pictures", in: "inpainting_metrics").count == 5) }

  @Test("L1 over no pixels is none") func emptyHole() throws {
    let image = Image(height: 2, width: 2, channels: 3)
    #expect(ImageSimilarity(image, image).l1(over: [false, false, false, false]) == nil)
  }

  @Test("pictures of different sizes, and too small ones, stop") func sizes() async {
    await #expect(processExitsWith: .failure) {
      _ = ImageSimilarity(Image(height: 2, width: 3, channels: 3), Image(height: 3, width: 2, channels: 3))
    }
    await #expect(processExitsWith: .failure) {
      let image = Image(height: 10, width: 40, channels: 1)
      _ = ImageSimilarity(image, image).ssim
    }
  }
}
