import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

private func decodePNG(_ base64: String) throws -> Image {
  guard let bytes = Foundation.Data(base64Encoded: base64) else { throw Failure(.badData, at: "", "no base64") }
  return try PNG.decode([UInt8](bytes), place: "x.png")
}

struct PNGTests {
  @Test(arguments: [1, 3, 4]) func roundTrip(channels: Int) throws {
    let image = Image.noise(height: 7, width: 13, channels: channels)
    #expect(try PNG.decode(PNG.encode(image), place: "") == image)
  }

  @Test(arguments: [1, 3, 4]) func roundTrip16(channels: Int) throws {
    var random = Random(seed: 2, stream: .test)
    let samples = (0..<5 * 9 * channels).map { _ in UInt16(truncatingIfNeeded: random.nextWord()) }
    let image = Image16(height: 5, width: 9, channels: channels, samples: samples)
    let bytes = PNG.encode(image)
    #expect(try PNG.decode16(bytes, place: "") == image)
    // To 8 bits: round(v · 255 / 65535).
    #expect(try PNG.decode(bytes, place: "").pixels == samples.map { UInt8((Double($0) / 257).rounded()) })
    expectFailure(.badData, "8 bits", "expected 16") { try PNG.decode16(PNG.encode(Image.noise(height: 2, width: 2)), place: "a.png") }
  }

  /// Files made by another library (Pillow), one of them interlaced by hand.
  @Test func expandsEveryForm() throws {
    let palette = try decodePNG(
      "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACAgMAAADgGo6JAAAADFBMVEX/AAAA/wAAAP8JCAei0mLAAAAADElEQVR4nGOQYHgCAAEwAP1WzRxzAAAAAElFTkSuQmCC")
    #expect(palette == Image(height: 2, width: 3, channels: 3,
                             pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7, 0, 0, 255, 0, 255, 0]))
    let transparent = try decodePNG(
      "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACAgMAAADgGo6JAAAADFBMVEX/AAAA/wAAAP8JCAei0mLAAAAABHRSTlP/gAAHEsfuSAAAAAxJREFUeJxjkGB4AgABMAD9"
        + "Vs0ccwAAAABJRU5ErkJggg==")
    #expect(transparent.channels == 4 && transparent.rgb() == palette)
    #expect(transparent.pixels.enumerated().filter { $0.offset % 4 == 3 }.map(\.element) == [255, 128, 0, 7, 0, 128])
    let bits = try decodePNG("iVBORw0KGgoAAAANSUhEUgAAAAkAAAACAQAAAACiLct+AAAADklEQVR4nGNc8ICBkQEABq4BgwXtDk0AAAAASUVORK5CYII=")
    #expect(bits == Image(height: 2, width: 9, channels: 1,
                          pixels: [255, 0, 255, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 255, 0]))
    let greyAlpha = try decodePNG("iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAQAAABeK7cBAAAADUlEQVR4nGPkEhERAQAAqgBIqNB9NQAAAABJRU5ErkJggg==")
    #expect(greyAlpha == Image(height: 1, width: 2, channels: 4, pixels: [10, 10, 10, 20, 30, 30, 30, 40]))
    let interlaced = try decodePNG(
      "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAAAAAH7nfE0AAAAIElEQVR4nGNgYFBgaFjAIGDAMGEDg0NAQgHDgQsPPgAAOjcHgWSSOVcAAAAASUVORK5CYII=")
    #expect(interlaced.pixels == (0..<16).map { UInt8($0 * 16) })
  }

  /// Every proper prefix of a file is an error, never a crash or a picture.
  @Test func rejectsEveryTruncation() {
    let bytes = PNG.encode(Image.noise(height: 6, width: 5))
    for count in 0..<bytes.count {
      expectFailure(.badData, "cut.png") { try PNG.decode(Array(bytes[..<count]), place: "cut.png") }
    }
  }

  @Test func rejectsDamage() {
    var bytes = PNG.encode(Image.noise(height: 6, width: 5))
    bytes[50] ^= 0x10  // inside the compressed rows
    expectFailure(.badData, "hurt.png", "IDAT: incorrect data check") { try PNG.decode(bytes, place: "hurt.png") }
  }

  @Test func rejectsHostileSizes() {
    expectFailure(.badData, "60000 x 60000") {
      try decodePNG("iVBORw0KGgoAAAANSUhEUgAA6mAAAOpgCAIAAAAPsOIVAAAADElEQVR4nGNgIBUAAAAyAAFBPJwWAAAAAElFTkSuQmCC")
    }
    expectFailure(.badData, "3000 x 3000", "too many") {
      try decodePNG("iVBORw0KGgoAAAANSUhEUgAAC7gAAAu4CAIAAAD+d2IuAAAADElEQVR4nGNgIBUAAAAyAAFBPJwWAAAAAElFTkSuQmCC")
    }
  }
}

struct JPEGTests {
  /// A smooth picture survives quality 95 within a few grey levels.
  @Test(arguments: [1, 3]) func roundTripOfASmoothPicture(channels: Int) throws {
    var image = Image(height: 37, width: 50, channels: channels)
    for i in image.pixels.indices {
      let x = i / channels % 50, y = i / channels / 50
      image.pixels[i] = UInt8(128 + 60 * sin(Double(x) / 9 + Double(i % channels)) + 60 * cos(Double(y) / 7))
    }
    let decoded = try JPEG.decode(JPEG.encode(image), place: "")
    #expect(decoded.height == 37 && decoded.width == 50 && decoded.channels == channels)
    let worst = zip(image.pixels, decoded.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 255
    // Quality 95 quantises with steps of at most 12; 64 coefficients err by half a step each, spread over 64 pixels.
    #expect(worst <= 8)
  }

  @Test func rejectsTruncation() {
    let bytes = JPEG.encode(Image.noise(height: 40, width: 40))
    for count in stride(from: 3, to: bytes.count, by: 37) {
      expectFailure(.badData, "cut.jpg") { try JPEG.decode(Array(bytes[..<count]), place: "cut.jpg") }
    }
    expectFailure(.badData, "remature end") { try JPEG.decode(Array(bytes[..<(bytes.count / 2)]), place: "cut.jpg") }
  }

  @Test(.enabled(if: Samples.areThere)) func decodesPhotographsAsOthersDo() throws {
    // Sums over all samples as Pillow decodes these files with the same library.
    for (name, sum) in [("coco_images/000000000785.jpg", 161_014_287), ("coco_images/000000142238.jpg", 71_505_103)] {
      let image = try Image(contentsOf: Samples.path(name))
      let found = image.pixels.reduce(0) { $0 + Int($1) }
      // Versions of the library may round differently by a grey level here and there: one in a thousand samples.
      #expect(abs(found - sum) <= image.pixels.count / 1000)
    }
  }
}

struct PortableMapTests {
  @Test(arguments: [1, 3]) func roundTrip(channels: Int) throws {
    let image = Image.noise(height: 3, width: 4, channels: channels)
    #expect(try PortableMap.decode(PortableMap.encode(image), place: "") == image)
  }

  @Test func allowsCommentsInTheHeader() throws {
    let header = "P5 # made by hand\n# 9 9\n2\t#width\n 1\r\n255\n"
    #expect(try PortableMap.decode(Array(header.utf8) + [35, 10], place: "") == Image(height: 1, width: 2, channels: 1, pixels: [35, 10]))
  }

  @Test(arguments: [
    ("P6\n2 2\n255\n", "truncated"), ("P6\n2 2\n65535\n", "65535"), ("P3\n1 1\n255\n1 1 1", "P5 or P6"), ("P6\n2", "height"),
    ("P6\n-1 1\n255\n", "width"), ("P6\n0 5\n255\n", "0 x 5"), ("P6\n999999999 999999999\n255\n", "999999999"),
    ("P6\n99999999999 1\n255\n", "width"), ("P6\n1 1\n255", "white-space"), ("P6", "width"), ("P62 2 255 ", "width"),
  ])
  func rejects(header: String, word: String) {
    expectFailure(.badData, "bad.ppm", word) { try PortableMap.decode(Array(header.utf8), place: "bad.ppm") }
  }
}

struct ImageFileTests {
  @Test func recognisesContentNotNames() throws {
    try withTemporaryFolder { folder in
      let image = Image.noise(height: 9, width: 8)
      for format in ["png", "ppm", "PNG"] {
        try image.write(to: "\(folder)/a.\(format)")
        try FileManager.default.moveItem(atPath: "\(folder)/a.\(format)", toPath: "\(folder)/b.\(format).jpg")
        #expect(try Image(contentsOf: "\(folder)/b.\(format).jpg") == image)
      }
      try image.write(to: folder + "/a.jpeg")
      #expect(try Image(contentsOf: folder + "/a.jpeg").height == 9)
      expectFailure(.usage, ".bmp", ".png, .jpg") { try image.write(to: folder + "/a.bmp") }
      expectFailure(.usage, "grey") { try image.write(to: folder + "/a.pgm") }
    }
  }

  @Test func namesWhatIsNoImage() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write("GIF89a", to: folder + "/a.png")
      try AtomicFile.write("", to: folder + "/empty.png")
      expectFailure(.badData, folder + "/a.png", "47 49 46 38 39 61", "PNG") { try Image(contentsOf: folder + "/a.png") }
      expectFailure(.badData, "empty") { try Image(contentsOf: folder + "/empty.png") }
      expectFailure(.missingInput, "none.png") { try Image(contentsOf: folder + "/none.png") }
    }
  }

  @Test func rgbRepeatsGreyAndDropsAlpha() {
    #expect(Image(height: 1, width: 2, channels: 1, pixels: [7, 9]).rgb().pixels == [7, 7, 7, 9, 9, 9])
    #expect(Image(height: 1, width: 2, channels: 4, pixels: [1, 2, 3, 4, 5, 6, 7, 8]).rgb().pixels == [1, 2, 3, 5, 6, 7])
  }

  /// Sums over all samples as Pillow decodes these files.
  @Test(.enabled(if: Samples.areThere), arguments: [
    ("inpaint/images/coffee.png", 3, 71_003_487), ("inpaint/masks/mat_mask1.png", 1, 32_975_580),
    ("flow_rubberwhale/RubberWhale1.png", 3, 85_549_679), ("inpaint/masks/gi_case1_mask.png", 4, 34_591_968),
    ("flow_chairs/0000002-img0.ppm", 3, 31_911_802),
  ])
  func decodesRealFiles(name: String, channels: Int, sum: Int) throws {
    let image = try Image(contentsOf: Samples.path(name))
    #expect(image.channels == channels)
    #expect(image.pixels.reduce(0) { $0 + Int($1) } == sum)
  }
}
