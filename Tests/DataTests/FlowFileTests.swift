import Base
import Data
import Testing
import TestSupport
import Vision

private let tiny = FlowField(height: 2, width: 3, vectors: [0, 1, -1, 0.5, 2, -3, 100.25, -200.5, 0, 0, 511.984375, -512],
                             isValid: [true, true, false, true, true, true])

/// `tiny` as a reader returns it: invalid vectors are zero.
private let tinyRead: FlowField = {
  var flow = tiny
  flow[0, 2] = (0, 0)
  return flow
}()

struct FlowFileTests {
  @Test func writesTheExactBytes() {
    let flow = FlowField(height: 1, width: 2, vectors: [1, -2, 0.5, 0])
    #expect(FlowFile.encode(flow) == [
      0x50, 0x49, 0x45, 0x48, 2, 0, 0, 0, 1, 0, 0, 0,
      0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 0, 0, 0, 0x3F, 0, 0, 0, 0,
    ])
  }

  @Test func roundTrip() throws { #expect(try FlowFile.decode(FlowFile.encode(tiny), place: "") == tinyRead) }

  @Test(arguments: [Float(1.1e9), -1.1e9, .infinity, .nan]) func marksUnknownVectors(value: Float) throws {
    for component in 0..<2 {
      var flow = FlowField(height: 1, width: 2, vectors: [3, 4, 5, 6])
      flow.vectors[component] = value
      let read = try FlowFile.decode(FlowFile.encode(flow), place: "")
      #expect(read == FlowField(height: 1, width: 2, vectors: [0, 0, 5, 6], isValid: [false, true]))
    }
  }

  @Test func rejectsWrongLengthsAndHeaders() {
    let bytes = FlowFile.encode(tiny)
    for count in 12..<bytes.count {
      expectFailure(.badData, "a.flo", "truncated", "\(count) bytes found", "60 expected") {
        try FlowFile.decode(Array(bytes[..<count]), place: "a.flo")
      }
    }
    expectFailure(.badData, "oversized", "61 bytes found", "60 expected") { try FlowFile.decode(bytes + [0], place: "a.flo") }
    expectFailure(.badData, "3 bytes found") { try FlowFile.decode(Array(bytes[..<3]), place: "a.flo") }
    expectFailure(.badData, "PIEH") { try FlowFile.decode([0x51] + bytes[1...], place: "a.flo") }
    for (offset, value) in [(7, UInt8(0x80)), (7, 0x7F), (4, 0)] {  // negative, huge, zero width
      var absurd = bytes
      absurd[offset] = value
      expectFailure(.badData, "absurd") { try FlowFile.decode(absurd, place: "a.flo") }
    }
  }

  /// The statistics of the samples' own manifest: size, invalid vectors, least and largest components, mean magnitude.
  @Test(.enabled(if: Samples.areThere), arguments: [
    ("flow_rubberwhale/RubberWhale.flo", [584, 388, 3622], [-4.5757, 2.5754, -2.5753, 2.9192, 1.2560]),
    ("flow_sintel_alley1/frame_0001.flo", [1024, 436, 0], [-8.4204, 1.2238, -2.7261, 4.1762, 2.8025]),
    ("flow_chairs/0000002-gt.flo", [512, 384, 0], [-8.2812, 24.6875, -73.4688, 3.4688, 4.3526]),
    ("flow_kitti_000010/kitti_noc_000010_10.png", [1242, 375, 356_687], [-23.0469, 42.4062, -1.6250, 7.8125, 8.8964]),
    ("flow_kitti_000010/kitti_occ_000010_10.png", [1242, 375, 354_086], [-24.1250, 42.4062, -1.6250, 8.2500, 9.0285]),
  ])
  func readsRealFiles(name: String, size: [Int], expected: [Double]) throws {
    let flow = try FlowField(contentsOf: Samples.path(name))
    let valid = flow.isValid.indices.filter { flow.isValid[$0] }
    #expect([flow.width, flow.height, flow.isValid.count - valid.count] == size)
    let u = valid.map { Double(flow.vectors[2 * $0]) }, v = valid.map { Double(flow.vectors[2 * $0 + 1]) }
    let magnitude = zip(u, v).reduce(0) { $0 + ($1.0 * $1.0 + $1.1 * $1.1).squareRoot() } / Double(valid.count)
    let found = [try #require(u.min()), try #require(u.max()), try #require(v.min()), try #require(v.max()), magnitude]
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 0.5001e-4) }  // four decimals
  }
}

struct KITTIFlowTests {
  @Test func codesAsTheFormatSays() throws {
    let image = try PNG.decode16(KITTIFlow.encode(tiny), place: "")
    #expect(image.samples[0..<6] == [32768, 32832, 1, 32704, 32800, 1])
    #expect(image.samples[6..<9] == [32768, 32768, 0])
    #expect(image.samples[15..<18] == [65535, 0, 1])
    #expect(try KITTIFlow.decode(PNG.encode(image), place: "") == tinyRead)
  }

  @Test func truncatesToTheGridAndClamps() throws {
    let flow = FlowField(height: 1, width: 3, vectors: [0.99 / 64, -0.01 / 64, 600, -600, .nan, 0])
    let read = try KITTIFlow.decode(KITTIFlow.encode(flow), place: "")
    #expect(read == FlowField(height: 1, width: 3, vectors: [0, -1 / 64, 32767 / 64, -512, 0, 0], isValid: [true, true, false]))
  }

  @Test func rejectsOtherPictures() {
    let grey = Image16(height: 1, width: 1, channels: 1, samples: [9])
    expectFailure(.badData, "1 channels") { try KITTIFlow.decode(PNG.encode(grey), place: "a.png") }
    expectFailure(.badData, "8 bits") { try KITTIFlow.decode(PNG.encode(Image.noise(height: 1, width: 1)), place: "a.png") }
  }

  @Test func filesAreToldApartByContentAndWrittenByExtension() throws {
    try withTemporaryFolder { folder in
      for name in ["a.flo", "a.png", "a.pfm"] {
        try tiny.write(to: folder + "/" + name)
        #expect(try FlowField(contentsOf: folder + "/" + name) == tinyRead)
      }
      expectFailure(.usage, ".flo, .pfm or .png") { try tiny.write(to: folder + "/a.txt") }
      expectFailure(.missingInput) { try FlowField(contentsOf: folder + "/b.flo") }
    }
  }

  @Test(.enabled(if: Samples.areThere)) func rewritesARealMapExactly() throws {
    let path = Samples.path("flow_kitti_000010/kitti_occ_000010_10.png")
    let original = try Image16(contentsOf: path)
    let rewritten = try PNG.decode16(KITTIFlow.encode(try FlowField(contentsOf: path)), place: "")
    let isEqual = rewritten == original  // outside #expect, which would print half a million samples
    #expect(isEqual)
  }
}
