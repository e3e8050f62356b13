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

/// Paths that lead to no file, or to one that is far too long.
@Suite struct UnusualFileTests {
  @Test(.timeLimit(.minutes(1))) func onlyRegularFilesArePictures() throws {
    try withTemporaryFolder { folder in
      let pipe = "\(folder)/a.png"
      #expect(mkfifo(pipe, 0o600) == 0)
      for (path, kind) in [("/dev/zero", "a device"), (pipe, "a pipe")] {
        expectFailure(.badData, "\(path): this is \(kind), expected a regular file") { try Image(contentsOf: path) }
        expectFailure(.badData, "\(path): this is \(kind), expected a regular file") { try FlowField(contentsOf: path) }
        expectFailure(.badData, "\(path): this is \(kind), expected a regular file") { try Image16(contentsOf: path) }
      }
    }
  }

  /// What begins like no picture is not read to its end, and a picture not beyond the largest there can be.
  @Test func filesThatAreFarTooLong() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.png"
      try AtomicFile.write("no picture", to: path)
      #expect(truncate(path, 1 << 40) == 0)
      expectFailure(.badData, "the file begins with the bytes", "expected a PNG, JPEG") { try Image(contentsOf: path) }
      expectFailure(.badData, "the file begins with the bytes", "expected a .flo file") { try FlowField(contentsOf: path) }
      expectFailure(.badData, "the file begins with the bytes", "expected a PNG image of 16 bits") { try Image16(contentsOf: path) }
      try AtomicFile.write(PNG.encode(Image(height: 2, width: 2, channels: 3)), to: path)
      #expect(truncate(path, 1 << 40) == 0)
      expectFailure(.badData, "the file has 1099511627776 bytes, more than the 2147487744 that are read") { try Image(contentsOf: path) }
    }
  }

  /// A circle of links can be no data set; that it cannot be looked at is not taken for its absence.
  @Test func whatCannotBeLookedAtIsNotMissing() throws {
    try withTemporaryFolder { folder in
      for name in ["data", "training", "test", "testing", FlyingChairs.splitFile] { #expect(symlink(name, "\(folder)/\(name)") == 0) }
      expectFailure(.inputOutput, "\(folder)/data: cannot be read") { try FlyingChairs(root: folder, split: .train) }
      expectFailure(.inputOutput, "\(folder)/training/", "cannot be read") { try MPISintel(root: folder, pass: .clean) }
      expectFailure(.inputOutput, "\(folder)/test: cannot be read") { try MPISintel.testSequences(in: folder) }
      expectFailure(.inputOutput, "\(folder)/testing: cannot be read") { try KITTI15.testSequences(in: folder) }
      expectFailure(.inputOutput, "\(folder)/data: cannot be read") { try PairSequence.named(["\(folder)/data"]) }
      #expect(unlink("\(folder)/data") == 0)
      for name in ["1_img1.ppm", "1_img2.ppm", "1_flow.flo"] {
        try File.createFolder("\(folder)/data")
        try AtomicFile.write("x", to: "\(folder)/data/\(name)")
      }
      expectFailure(.inputOutput, "\(FlyingChairs.splitFile): cannot be read") { try FlyingChairs(root: folder, split: .train) }
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

  /// 3,000 scans over 16384 x 16384 pixels in 1.6 MB: minutes of work, if it were done.
  @Test(.timeLimit(.minutes(1))) func alsoOfHugePictures() {
    let bytes = Self.manyScans(3000, side: 16384)
    #expect(bytes.count < 2_000_000)
    expectFailure(.badData, "a.jpg", "more than 100 scans") { try JPEG.decode(bytes, place: "a.jpg") }
  }

  @Test func itsFirstScansAreSound() throws {
    #expect(try JPEG.decode(Self.manyScans(64, side: 512), place: "").pixels == [UInt8](repeating: 128, count: 512 * 512))
  }

  /// A grey JPEG where nothing but scans costs bytes: those of the coefficients say "no more in the next 32,767 blocks" over and over.
  static func manyScans(_ count: Int, side: Int) -> [UInt8] {
    var bytes = progressive(height: side, width: side, passes: 0)
    // Up to the second scan: everything before, and the mean. The table of the coefficients gets the one symbol of long runs.
    let second = bytes.ranges(of: [0xFF, 0xDA])[1].lowerBound
    bytes.removeSubrange(second...)
    let table = bytes.ranges(of: [0xFF, 0xC4])[1].upperBound
    bytes[table + 19] = 0xE0
    let blocks = side / 8 * side / 8
    var bits = Array(repeating: [UInt8(0)] + [UInt8](repeating: 1, count: 14), count: blocks / 32_767 + 1).flatMap { $0 }
    while bits.count % 8 > 0 { bits.append(1) }
    let data = stride(from: 0, to: bits.count, by: 8).flatMap { start -> [UInt8] in
      let byte = bits[start..<start + 8].reduce(0) { $0 << 1 | $1 }
      return byte == 0xFF ? [0xFF, 0] : [byte]
    }
    // One bit after the other of every coefficient, from the highest; in the end the last one again.
    for scan in 0..<count - 1 {
      let low = UInt8(max(0, 13 - scan / 63))
      let high: UInt8 = scan < 63 ? 0 : low + 1
      let k = UInt8(1 + scan % 63)
      bytes += [0xFF, 0xDA, 0, 8, 1, 1, 0, k, k, high << 4 | low] + data
    }
    return bytes + [0xFF, 0xD9]
  }
}
