import Base
import Vision

/// Portable float maps, `.pfm`: text lines `PF` (three channels) or `Pf` (one), "width height", and a scale whose sign tells the byte order
/// (negative: little-endian); then float32 samples, bottom row first.
///
/// The size of the scale is not applied: the data sets of optical flow store plain pixels and write 1. FlyingThings3D's flow has three
/// channels of which the third is unused.
///
/// - Source: P. Debevec's description of the format, and the reading code published with FlyingThings3D (Mayer et al., CVPR 2016).
public enum PortableFloatMap {
  /// The samples of a file, top row first.
  public struct Samples: Sendable, Equatable {
    public let height: Int
    public let width: Int
    /// 1 or 3.
    public let channels: Int
    /// `height · width · channels` numbers, row-major, channels interleaved.
    public var values: [Float]

    /// - Precondition: one or three channels, and as many values as the sides say.
    public init(height: Int, width: Int, channels: Int, values: [Float]) {
      require([1, 3].contains(channels) && values.count == height * width * channels,
              "PortableFloatMap: \(height)x\(width)x\(channels) with \(values.count) values, expected 1 or 3 channels of height x width")
      (self.height, self.width, self.channels, self.values) = (height, width, channels, values)
    }
  }

  /// Whether a file begins as a portable float map.
  static func isAnnounced(by bytes: [UInt8]) -> Bool {
    bytes.count >= 3 && bytes[0] == UInt8(ascii: "P") && (bytes[1] | 0x20) == UInt8(ascii: "f") && isSpace(bytes[2])
  }

  /// Decodes the samples.
  /// - Parameter place: the file's name, for error messages.
  /// - Throws: `.badData` for a malformed header, a scale of zero, or a file longer or shorter than its header says.
  public static func decode(_ bytes: [UInt8], place: String) throws -> Samples {
    guard isAnnounced(by: bytes) else {
      throw Failure(.badData, at: place, "no .pfm file: it begins with the bytes \(Path.hexadecimal(bytes.prefix(4))), expected PF or Pf")
    }
    let channels = bytes[1] == UInt8(ascii: "F") ? 3 : 1
    var position = 2
    let width = try side(word(of: bytes, &position), "width", place)
    let height = try side(word(of: bytes, &position), "height", place)
    let scaleText = word(of: bytes, &position)
    guard let scale = Float(scaleText), scale != 0, scale.isFinite else {
      throw Failure(.badData, at: place, "malformed .pfm header: the scale is '\(scaleText)', expected a number other than 0")
    }
    let start = position + 1  // a single white-space character ends the header
    let count = try Codec.pixelCount(height: height, width: width, place: place) * channels
    guard bytes.count == start + 4 * count else {
      let kind = bytes.count < start + 4 * count ? "truncated" : "oversized"
      throw Failure(.badData, at: place, "\(kind) .pfm file: \(bytes.count) bytes found, \(start + 4 * count) expected for "
        + "\(width) x \(height) pixels of \(channels) channels")
    }
    let row = width * channels
    let values = bytes.withUnsafeBytes { source in
      [Float](unsafeUninitializedCapacity: count) { target, filled in
        for y in 0..<height {
          let from = start + 4 * row * (height - 1 - y)
          for i in 0..<row {
            let word = source.loadUnaligned(fromByteOffset: from + 4 * i, as: UInt32.self)
            target[y * row + i] = Float(bitPattern: scale < 0 ? UInt32(littleEndian: word) : UInt32(bigEndian: word))
          }
        }
        filled = count
      }
    }
    return Samples(height: height, width: width, channels: channels, values: values)
  }

  /// Encodes the samples, little-endian: the scale is -1.
  public static func encode(_ samples: Samples) -> [UInt8] {
    var bytes = Array("\(samples.channels == 3 ? "PF" : "Pf")\n\(samples.width) \(samples.height)\n-1\n".utf8)
    bytes.reserveCapacity(bytes.count + 4 * samples.values.count)
    let row = samples.width * samples.channels
    for y in stride(from: samples.height - 1, through: 0, by: -1) {
      for value in samples.values[y * row..<(y + 1) * row] { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 } }
    }
    return bytes
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  /// The next word of the header; `position` then lies on the white space behind it.
  private static func word(of bytes: [UInt8], _ position: inout Int) -> String {
    while position < bytes.count, isSpace(bytes[position]) { position += 1 }
    let word = bytes[position...].prefix(32).prefix { !isSpace($0) }
    position += word.count
    return String(decoding: word, as: UTF8.self)
  }

  private static func side(_ text: String, _ name: String, _ place: String) throws -> Int {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let side = Int(text), side > 0 else {
      throw Failure(.badData, at: place, "malformed .pfm header: the \(name) is '\(text)', expected a whole number above 0")
    }
    return side
  }
}

extension PortableFloatMap {
  /// Decodes a flow field: `u` and `v` are the first two of three channels.
  ///
  /// Vectors that are not finite, or marked as unknown by a component above 10⁹ as in `.flo` files, become invalid and zero.
  /// - Throws: as `decode`; `.badData` if there is one channel only.
  public static func decodeFlow(_ bytes: [UInt8], place: String) throws -> FlowField {
    let samples = try decode(bytes, place: place)
    guard samples.channels == 3 else {
      throw Failure(.badData, at: place, "this .pfm file has one channel (Pf), expected three (PF): u, v and one unused")
    }
    let count = samples.height * samples.width
    var flow = FlowField(height: samples.height, width: samples.width, vectors: Array(repeating: 0, count: 2 * count))
    for i in flow.isValid.indices {
      let u = samples.values[3 * i]
      let v = samples.values[3 * i + 1]
      flow.isValid[i] = abs(u) <= FlowFile.unknownThreshold && abs(v) <= FlowFile.unknownThreshold
      if flow.isValid[i] { (flow.vectors[2 * i], flow.vectors[2 * i + 1]) = (u, v) }
    }
    return flow
  }

  /// Encodes a flow field with an unused third channel of zeros; invalid vectors are written as NaN.
  public static func encode(_ flow: FlowField) -> [UInt8] {
    let values = flow.isValid.indices.flatMap { i in
      flow.isValid[i] ? [flow.vectors[2 * i], flow.vectors[2 * i + 1], 0] : [Float.nan, .nan, 0]
    }
    return encode(Samples(height: flow.height, width: flow.width, channels: 3, values: values))
  }
}
