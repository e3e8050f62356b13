import Base
import Data
import Testing
import TestSupport
import Vision

struct PortableFloatMapTests {
  private func floats(_ values: [Float], bigEndian: Bool = false) -> [UInt8] {
    values.flatMap { value in
      let bytes = (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
      return bigEndian ? bytes.reversed() : bytes
    }
  }

  @Test func theBottomRowComesFirst() throws {
    let grey = PortableFloatMap.Samples(height: 2, width: 3, channels: 1, values: [1, 2, 3, -4, 0.5, 6])
    let bytes = Array("Pf\n3 2\n-1\n".utf8) + floats([-4, 0.5, 6, 1, 2, 3])
    #expect(PortableFloatMap.encode(grey) == bytes)
    #expect(try PortableFloatMap.decode(bytes, place: "") == grey)
    let color = PortableFloatMap.Samples(height: 2, width: 1, channels: 3, values: [1, 2, 3, 4, 5, 6])
    #expect(PortableFloatMap.encode(color) == Array("PF\n1 2\n-1\n".utf8) + floats([4, 5, 6, 1, 2, 3]))
  }

  /// A positive scale announces big-endian samples; its size is not applied.
  @Test(arguments: ["1", "1.0", "1.000000", "0.5", "2e0"]) func theSignOfTheScaleIsTheByteOrder(scale: String) throws {
    let values: [Float] = [1.5, -2, 1e-20]
    for (text, isBig) in [(scale, true), ("-" + scale, false)] {
      let bytes = Array("PF\n1 1\n\(text)\n".utf8) + floats(values, bigEndian: isBig)
      #expect(try PortableFloatMap.decode(bytes, place: "").values == values)
    }
  }

  @Test func headersMayHaveOtherSpace() throws {
    for header in ["PF\n2  1\n-1.0\n", "PF 2 1 -1 ", "PF\r\n2\t1\n\n-1\n"] {
      #expect(try PortableFloatMap.decode(Array(header.utf8) + floats([1, 2, 3, 4, 5, 6]), place: "").values == [1, 2, 3, 4, 5, 6])
    }
  }

  @Test func flowIsTheFirstTwoOfThreeChannels() throws {
    let flow = FlowField(height: 2, width: 2, vectors: [1, -2, 0.25, 700, 3, 4, 5, 6], isValid: [true, true, false, true])
    let samples = try PortableFloatMap.decode(PortableFloatMap.encode(flow), place: "")
    #expect(samples.channels == 3 && Array(samples.values[0..<6]) == [1, -2, 0, 0.25, 700, 0])
    #expect(samples.values[6].isNaN && samples.values[7].isNaN && samples.values[8] == 0 && samples.values[9] == 5)
    var expected = flow
    expected[1, 0] = (0, 0)
    #expect(try PortableFloatMap.decodeFlow(PortableFloatMap.encode(flow), place: "") == expected)
  }

  @Test func damageIsTold() {
    let bytes = PortableFloatMap.encode(FlowField(height: 2, width: 3, vectors: Array(repeating: 1, count: 12)))
    for count in 10..<bytes.count {
      expectFailure(.badData, "a.pfm", "truncated", "\(count) bytes found", "82 expected") {
        try PortableFloatMap.decode(Array(bytes[..<count]), place: "a.pfm")
      }
    }
    expectFailure(.badData, "oversized", "83 bytes") { try PortableFloatMap.decode(bytes + [0], place: "a.pfm") }
    for (header, words) in [("P6\n1 1\n255\n", "expected PF or Pf"), ("PFM\n1 1\n-1\n", "expected PF or Pf"), ("PF\n-1 1\n-1\n", "the width is '-1'"),
                            ("PF\n1 x\n-1\n", "the height is 'x'"), ("PF\n1 1\n0\n", "the scale is '0'"), ("PF\n1 1\nnan\n", "the scale is 'nan'"),
                            ("PF\n1", "the height is ''"), ("PF\n99999999 99999999\n-1\n", "99999999 x 99999999"), ("", "expected PF or Pf")] {
      expectFailure(.badData, "a.pfm", words) { try PortableFloatMap.decode(Array(header.utf8), place: "a.pfm") }
    }
    let grey = PortableFloatMap.Samples(height: 1, width: 1, channels: 1, values: [1])
    expectFailure(.badData, "one channel") { try PortableFloatMap.decodeFlow(PortableFloatMap.encode(grey), place: "a.pfm") }
  }

  /// Sums over the upper and the lower half of two real maps, and single pixels, worked out with NumPy.
  @Test(.enabled(if: Samples.areThere), arguments: [("01", 42.0, 46.0, Float(0)), ("10", 74, 36, 1)])
  func readsRealFiles(name: String, upper: Double, lower: Double, last: Float) throws {
    let path = Samples.path("flow_tiny/0000000-occ_weights_\(name).pfm")
    let samples = try PortableFloatMap.decode(File.bytes(at: path), place: path)
    #expect(samples.height == 50 && samples.width == 50 && samples.channels == 1)
    #expect(samples.values[..<1250].reduce(0) { $0 + Double($1) } == upper && samples.values[1250...].reduce(0) { $0 + Double($1) } == lower)
    #expect(samples.values[2499] == last && samples.values[name == "01" ? 24 : 7] > 0)
    expectFailure(.badData, path, "one channel") { try FlowField(contentsOf: path) }
  }
}
