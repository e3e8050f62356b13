import Base
import CPNG
import Vision

extension PNG {
  /// The numbers of a label picture: palette indices, or grey levels of 1, 2, 4, 8 or 16 bits, as they stand in the file. Colours of the
  /// palette, transparency, gamma and profiles do not count.
  /// - Throws: `.badData` as `decode`, and if a pixel has several samples (RGB, alpha).
  public static func decodeLabels(_ bytes: [UInt8], place: String) throws -> LabelMap {
    let header = try header(of: bytes, place: place)
    guard header.single != 0 else { throw LabelMap.severalSamples(try decode(bytes, place: place), at: place) }
    let (height, width) = (Int(header.height), Int(header.width))
    let values: [UInt16] = if header.bits == 16 {
      try numbers(height * width, of: bytes, place: place)
    } else {
      try (numbers(height * width, of: bytes, place: place) as [UInt8]).map(UInt16.init)
    }
    return LabelMap(height: height, width: width, values: values)
  }

  /// Encodes labels as palette indices: viewers show the colours, label readers find the numbers.
  /// - Parameter palette: the colours of the numbers from 0 on, at most 256; numbers above it are black.
  /// - Precondition: all numbers are below 256.
  public static func encode(_ labels: LabelMap, palette: [RGB]) -> [UInt8] {
    let largest = labels.values.max() ?? 0
    require(largest < 256 && palette.count <= 256, "PNG.encode: the label \(largest), a palette of \(palette.count) colours; expected 256")
    let colors = (palette + Array(repeating: RGB.black, count: max(Int(largest) + 1 - palette.count, palette.isEmpty ? 1 : 0)))
      .flatMap { [$0.x, $0.y, $0.z] }
    let indices = labels.values.map { UInt8($0) }
    let (bytes, problem) = Codec.collect { context in
      Codec.message(of: {
        cpng_write_indices(indices, UInt32(labels.height), UInt32(labels.width), colors, UInt32(colors.count / 3),
                           { Codec.append($0, $1, $2) }, context, $0, $1)
      })
    }
    if let problem { stop("PNG.encode: labels of \(labels.height)x\(labels.width) cannot be written: \(problem)") }
    return bytes
  }

  private static func numbers<Sample: FixedWidthInteger>(_ count: Int, of bytes: [UInt8], place: String) throws -> [Sample] {
    try read(count, place: place) { cpng_read_numbers(bytes, bytes.count, Int32(Sample.bitWidth), $0, $1, $2, $3) }
  }
}

extension LabelMap {
  /// Reads a label picture: PNG with a palette or grey (1 to 16 bits), or PGM.
  /// - Throws: `.missingInput` if there is no such file; `.badData` if it is truncated or corrupt, has colours instead of numbers, or is a
  ///   JPEG, whose compression changes numbers.
  public init(contentsOf path: String) throws {
    let bytes = try File.bytes(at: path, limit: Codec.largestFile) { try LabelMap.requireFormat(of: $0, at: path) }
    try LabelMap.requireFormat(of: bytes, at: path)
    if bytes.starts(with: PNG.magic) {
      self = try PNG.decodeLabels(bytes, place: path)
    } else {
      let image = try PortableMap.decode(bytes, place: path)
      guard image.channels == 1 else { throw Self.severalSamples(image, at: path) }
      self.init(height: image.height, width: image.width, values: image.pixels.map(UInt16.init))
    }
  }

  private static func requireFormat(of bytes: [UInt8], at path: String) throws {
    let expected = "a label picture: PNG with a palette or grey, or PGM"
    if bytes.starts(with: JPEG.magic) {
      throw Failure(.badData, at: path, "this is a JPEG picture, whose compression changes labels; expected \(expected)",
                    remedy: "Write labels as PNG.")
    }
    let starts = [PNG.magic, Array("P5".utf8), Array("P6".utf8)]
    guard starts.contains(where: { bytes.starts(with: $0) }) else { throw Failure.unrecognized(bytes, at: path, expected: expected) }
  }

  /// The expectation that pictures of colours fail.
  static let oneNumber = "expected one number a pixel: palette indices or grey levels"

  /// The failure for a picture of colours.
  static func severalSamples(_ image: Image, at path: String) -> Failure {
    let rgb = image.rgb()
    var counts: [RGB: Int] = [:]
    for pixel in 0..<rgb.height * rgb.width { counts[rgb[rgb: pixel], default: 0] += 1 }
    let common = counts.max { ($0.value, $1.key.x, $1.key.y, $1.key.z) < ($1.value, $0.key.x, $0.key.y, $0.key.z) }
    let example = common.map { ", the most frequent (\($0.key.x), \($0.key.y), \($0.key.z)) in \($0.value) pixels" } ?? ""
    let kind = image.channels == 4 ? "an RGB picture with alpha" : "an RGB picture"
    let colors = "\(counts.count) colour\(counts.count == 1 ? "" : "s")"
    return Failure(.badData, at: path, "this is \(kind) of \(colors)\(example); \(oneNumber)",
                   remedy: "Replace each colour by the number of its class, and write a PNG with a palette or in grey.")
  }
}
