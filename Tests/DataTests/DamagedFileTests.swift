import Base
import Data
import Foundation
import Testing
import TestSupport
import Vision

/// Hundreds of damaged copies of a small file of every format: each is read or refused with a `Failure`, quickly.
@Suite struct DamagedFileTests {
  enum Format: CaseIterable { case png, png16, greyAlphaPNG, jpeg, greyJPEG, ppm, pgm, flo, kitti, pfm, lists }

  static let copies = 600

  static func bytes(_ format: Format) -> [UInt8] {
    let image = Image.noise(height: 9, width: 11), grey = Image.noise(height: 9, width: 11, channels: 1)
    let flow = FlowField(height: 5, width: 7, vectors: (0..<70).map { Float($0) - 35 }, isValid: (0..<35).map { $0 % 3 > 0 })
    switch format {
    case .png: return PNG.encode(image)
    case .png16: return PNG.encode(Image16(height: 4, width: 5, channels: 3, samples: (0..<60).map { UInt16(1000 * $0) }))
    case .greyAlphaPNG: return PNG.encode(Image.noise(height: 9, width: 11, channels: 4))
    case .jpeg: return JPEG.encode(image)
    case .greyJPEG: return JPEG.encode(grey)
    case .ppm: return PortableMap.encode(image)
    case .pgm: return PortableMap.encode(grey)
    case .flo: return FlowFile.encode(flow)
    case .kitti: return KITTIFlow.encode(flow)
    case .pfm: return PortableFloatMap.encode(flow)
    case .lists: return Array("1\n2\n1\n1\n".utf8)
    }
  }

  static func read(_ bytes: [UInt8], _ format: Format) throws {
    switch format {
    case .png, .greyAlphaPNG: _ = try PNG.decode(bytes, place: "x.png")
    case .png16: _ = try PNG.decode16(bytes, place: "x.png")
    case .jpeg, .greyJPEG: _ = try JPEG.decode(bytes, place: "x.jpg")
    case .ppm, .pgm: _ = try PortableMap.decode(bytes, place: "x.ppm")
    case .flo: _ = try FlowFile.decode(bytes, place: "x.flo")
    case .kitti: _ = try KITTIFlow.decode(bytes, place: "x.png")
    case .pfm: _ = try PortableFloatMap.decodeFlow(bytes, place: "x.pfm")
    case .lists: _ = try File.text(of: bytes, at: "x.txt", kind: .badData)
    }
  }

  @Test(arguments: Format.allCases) func endsWithAResultOrAFailure(format: Format) throws {
    let sound = Self.bytes(format), start = ContinuousClock.now
    try Self.read(sound, format)
    var refused = 0
    for index in 0..<Self.copies {
      let damaged = Mutation.copy(index, of: sound, head: 64)
      do {
        try Self.read(damaged, format)
      } catch let failure as Failure {
        refused += 1
        #expect(failure.kind == .badData && failure.description.utf8.count < 1500, "\(failure)")
        #expect(failure.description.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 }, "\(failure)")
      }
    }
    #expect(refused > Self.copies / (format == .lists ? 50 : 4), "only \(refused) copies were found damaged")
    #expect(ContinuousClock.now - start < .seconds(60))
  }

  /// A folder of damaged files as a set of pairs: listing and reading end.
  @Test func aFolderOfDamagedFiles() throws {
    try withTemporaryFolder { folder in
      let flow = Self.bytes(.flo), frame = PNG.encode(Image.noise(height: 5, width: 7))
      for index in 0..<40 {
        try AtomicFile.write(Mutation.copy(index, of: frame), to: "\(folder)/\(index)_img1.png")
        try AtomicFile.write(Mutation.copy(index + 40, of: frame), to: "\(folder)/\(index)_img2.png")
        try AtomicFile.write(Mutation.copy(index + 80, of: flow), to: "\(folder)/\(index)_flow.flo")
      }
      let pairs = try FlowPairs(root: folder)
      for index in 0..<pairs.count {
        do { _ = try pairs.sample(at: index) } catch let failure as Failure { #expect(failure.place.hasPrefix(folder)) }
      }
    }
  }
}

/// JPEGs that ask for more work than a picture is worth.
@Suite struct JPEGScanTests {
  /// A progressive grey JPEG of one block: a scan for the mean, then one for each coefficient, and `passes` refinements of each.
  static func progressive(height: Int = 8, width: Int = 8, passes: Int) -> [UInt8] {
    func segment(_ marker: UInt8, _ body: [UInt8]) -> [UInt8] {
      [0xFF, marker, UInt8((body.count + 2) / 256), UInt8((body.count + 2) % 256)] + body
    }
    var bytes: [UInt8] = [0xFF, 0xD8] + segment(0xDB, [0] + [UInt8](repeating: 1, count: 64))
    bytes += segment(0xC2, [8, UInt8(height / 256), UInt8(height % 256), UInt8(width / 256), UInt8(width % 256), 1, 1, 0x11, 0])
    // Tables of one symbol, 0, with the code 0: no change of the mean, no further coefficient in this block.
    for kind: UInt8 in [0x00, 0x10] { bytes += segment(0xC4, [kind, 1] + [UInt8](repeating: 0, count: 15) + [0]) }
    let blocks = ((height + 7) / 8) * ((width + 7) / 8)
    let data = [UInt8](repeating: 0, count: (blocks + 7) / 8)
    func scan(_ first: UInt8, _ last: UInt8, _ bits: UInt8) -> [UInt8] { segment(0xDA, [1, 1, 0, first, last, bits]) + data }
    bytes += scan(0, 0, 0)
    for pass in 0...passes {
      let low = UInt8(passes - pass), high: UInt8 = pass == 0 ? 0 : low + 1
      for k: UInt8 in 1...63 { bytes += scan(k, k, high << 4 | low) }
    }
    return bytes + [0xFF, 0xD9]
  }

  @Test func theUsualNumberIsDecoded() throws {
    let image = try JPEG.decode(Self.progressive(height: 24, width: 40, passes: 0), place: "")
    #expect(image.pixels == [UInt8](repeating: 128, count: 24 * 40))
  }

  @Test func moreAreRefused() {
    expectFailure(.badData, "a.jpg", "more than 100 scans") { try JPEG.decode(Self.progressive(passes: 1), place: "a.jpg") }
  }

  /// 800 scans over 64 million pixels: minutes of work, if it were done.
  @Test(.timeLimit(.minutes(2))) func alsoOfHugePictures() {
    var bytes = Self.progressive(passes: 12)
    bytes.replaceSubrange(bytes.firstRange(of: [0xFF, 0xC2]).map { $0.upperBound + 3..<$0.upperBound + 7 } ?? 0..<0, with: [0x20, 0, 0x20, 0])
    expectFailure(.badData, "a.jpg") { try JPEG.decode(bytes, place: "a.jpg") }
  }
}
