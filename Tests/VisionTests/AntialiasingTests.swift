import Foundation
import Testing
import TestSupport
import Vision

/// Against Pillow, `Tests/Fixtures/make_resize.py`.
@Suite("Antialiased resize") struct AntialiasingTests {
  private struct Case: Decodable {
    let from: [Int]
    let to: [Int]
    let channels: Int
  }

  private func picture(_ name: String, _ height: Int, _ width: Int, _ channels: Int) -> Image {
    let key = FixtureHash.key(name)
    let pixels = (0..<height * width * channels).map { i -> UInt8 in
      let (y, x, c) = (i / (width * channels), i / channels % width, i % channels)
      let smooth = 60 * sin(0.3 * Double(x) + 0.17 * Double(y) + Double(c))
      let edges = Double(80 * ((x / 5 + y / 7 + c) % 2))
      return UInt8(min(max((80 + smooth + edges + 70 * (FixtureHash.fraction(key, i) - 0.5) + 0.5).rounded(.down), 0), 255))
    }
    return Image(height: height, width: width, channels: channels, pixels: pixels)
  }

  @Test("samples are Pillow's within one level") func pillow() throws {
    let fixture = try Fixture("pillow_resize")
    let cases = try JSONDecoder().decode([Case].self, from: Data((fixture.file.metadata["cases"] ?? "").utf8))
    #expect(cases.count == 10)
    for (number, entry) in cases.enumerated() {
      let image = picture("resize.\(number)", entry.from[0], entry.from[1], entry.channels)
      let checksum = fixture.file.metadata["fnv1a64.\(number)"].flatMap { UInt64($0, radix: 16) }
      #expect(FixtureHash.fnv1a64(image.pixels) == checksum, "image \(number)")
      let found = image.resizedAntialiased(height: entry.to[0], width: entry.to[1])
      let expected = try fixture.bytes("\(number)")
      #expect((found.height, found.width, found.channels) == (entry.to[0], entry.to[1], entry.channels))
      let differences = zip(found.pixels, expected).map { abs(Int($0) - Int($1)) }
      #expect(differences.count == expected.count)
      #expect(differences.allSatisfy { $0 <= 1 }, "case \(number): \(differences.max() ?? 0)")
      // Pillow takes columns first where it finds that cheaper, as where rows are lost and columns won: it rounds other sums between then.
      let isMixed = entry.to[0] < entry.from[0] && entry.to[1] > entry.from[1]
      // Else, its weights having 22 binary digits, only samples next to a half may be rounded the other way.
      #expect(isMixed || differences.filter { $0 > 0 }.count <= expected.count / 100, "case \(number)")
    }
  }
}
