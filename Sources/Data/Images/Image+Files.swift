import Base
import Vision

/// The image formats that can be written, chosen by the extension of the file.
enum ImageFormat: String, CaseIterable {
  case png, jpg, jpeg, ppm, pgm

  /// The format that a path's extension names, in any case.
  init?(path: String) { self.init(rawValue: Path.fileExtension(path)) }

  static var list: String { allCases.map { "." + $0.rawValue }.joined(separator: ", ") }
}

extension Image {
  /// Reads a PNG, JPEG, PPM or PGM file, recognised by its first bytes, whatever its name.
  ///
  ///     let image = try Image(contentsOf: "frame_0001.png").rgb()
  ///
  /// - Throws: `.missingInput` if there is no such file; `.badData`, with the codec's message, if it is truncated, corrupt, none of
  ///   these formats, longer than any picture, or no regular file.
  public init(contentsOf path: String) throws {
    let bytes = try File.bytes(at: path, limit: Codec.largestFile) { _ = try Image.decoder(of: $0, at: path) }
    self = try Image.decoder(of: bytes, at: path)(bytes, path)
  }

  /// What decodes a file that begins so.
  private static func decoder(of bytes: [UInt8], at path: String) throws -> (_ bytes: [UInt8], _ place: String) throws -> Image {
    if bytes.starts(with: PNG.magic) { return PNG.decode }
    if bytes.starts(with: JPEG.magic) { return JPEG.decode }
    if bytes.starts(with: Array("P5".utf8)) || bytes.starts(with: Array("P6".utf8)) { return PortableMap.decode }
    throw Failure.unrecognized(bytes, at: path, expected: "a PNG, JPEG, PPM (P6) or PGM (P5) image")
  }

  /// Writes the image in the format of the path's extension: `.png`, `.jpg`, `.jpeg` (quality 95), `.ppm`, `.pgm`. Replaces an older
  /// file at once.
  /// - Throws: `.usage` for any other extension, or for `.pgm` if the image is not grey; the failures of `AtomicFile.write`.
  public func write(to path: String) throws {
    switch ImageFormat(path: path) {
    case .png: try AtomicFile.write(PNG.encode(self), to: path)
    case .jpg, .jpeg: try AtomicFile.write(JPEG.encode(self), to: path)
    case .ppm: try AtomicFile.write(PortableMap.encode(rgb()), to: path)
    case .pgm:
      guard channels == 1 else { throw Failure(.usage, at: path, "a .pgm file is grey, the image has \(channels) channels") }
      try AtomicFile.write(PortableMap.encode(self), to: path)
    case nil: throw Failure(.usage, at: path, "the extension names no image format, expected one of \(ImageFormat.list)")
    }
  }
}

extension Image16 {
  /// Reads a PNG file of 16 bits a sample.
  /// - Throws: `.missingInput`; `.badData` if it is something else, truncated or corrupt.
  public init(contentsOf path: String) throws {
    let bytes = try File.bytes(at: path, limit: Codec.largestFile) { head in
      guard head.starts(with: PNG.magic) else { throw Failure.unrecognized(head, at: path, expected: "a PNG image of 16 bits a sample") }
    }
    self = try PNG.decode16(bytes, place: path)
  }

  /// Writes a PNG file, whatever the extension.
  /// - Throws: the failures of `AtomicFile.write`.
  public func write(to path: String) throws { try AtomicFile.write(PNG.encode(self), to: path) }
}
