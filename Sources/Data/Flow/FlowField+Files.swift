import Base
import Vision

extension FlowField {
  /// Reads a `.flo` file, a KITTI flow map or a `.pfm` file, recognised by its first bytes, whatever its name.
  ///
  /// - Throws: `.missingInput` if there is no such file; `.badData` if it is truncated, corrupt, neither of these formats, longer than any
  ///   field, or no regular file.
  public init(contentsOf path: String) throws {
    let bytes = try File.bytes(at: path, limit: Codec.largestFile) { _ = try FlowField.decoder(of: $0, at: path) }
    self = try FlowField.decoder(of: bytes, at: path)(bytes, path)
  }

  /// What decodes a file that begins so.
  private static func decoder(of bytes: [UInt8], at path: String) throws -> (_ bytes: [UInt8], _ place: String) throws -> FlowField {
    if bytes.starts(with: PNG.magic) { return KITTIFlow.decode }
    if PortableFloatMap.isAnnounced(by: bytes) { return PortableFloatMap.decodeFlow }
    if bytes.starts(with: FlowFile.magic) { return FlowFile.decode }
    throw Failure.unrecognized(bytes, at: path, expected: "a .flo file (PIEH), a flow map of KITTI (16-bit PNG) or a .pfm file")
  }

  /// Writes the field in the format of the path's extension: `.flo` and `.pfm` (exact), or `.png` (KITTI, on a grid of 1/64
  /// pixel). Replaces an older file at once.
  /// - Throws: `.usage` for any other extension; the failures of `AtomicFile.write`.
  public func write(to path: String) throws {
    switch Path.fileExtension(path) {
    case "flo": try AtomicFile.write(FlowFile.encode(self), to: path)
    case "pfm": try AtomicFile.write(PortableFloatMap.encode(self), to: path)
    case "png": try AtomicFile.write(KITTIFlow.encode(self), to: path)
    default: throw Failure(.usage, at: path, "the extension names no flow format, expected .flo, .pfm or .png (KITTI)")
    }
  }
}
