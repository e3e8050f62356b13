import Base
import Foundation

/// TensorBoard's event file: length-prefixed, checksummed protocol-buffer records.
///
/// - Source: the tensorboard repository: `record_writer.py`, `event.proto`, `summary.proto`.
final class EventFile {
  private let file: AppendOnlyFile
  private let time: TimeSource

  /// Creates a new file in `folder` that begins with the version and the start of a session.
  /// - Parameter firstStep: the first step to come; TensorBoard forgets what older files say about it and later ones.
  init(folder: String, firstStep: Int, time: TimeSource) throws {
    self.time = time
    file = try AppendOnlyFile(appendingTo: "\(folder)/\(try EventFile.name(in: folder, now: time.wall()))")
    try file.append(EventRecord.version(wall: time.wall()))
    try file.append(EventRecord.sessionStart(wall: time.wall(), step: firstStep))
  }

  func append(scalars: [Metrics.Element], split: String, step: Int) throws {
    let records = scalars.map { EventRecord.scalar("\(split)/\($0.name)", Float($0.value), wall: time.wall(), step: step) }
    try file.append(records.flatMap { $0 })
  }

  /// - Parameter png: an encoded PNG; one without a header is left out.
  func append(image png: [UInt8], tag: String, step: Int) throws {
    guard let record = EventRecord.image(tag, png: png, wall: time.wall(), step: step) else { return }
    try file.append(record)
  }

  /// A name that sorts behind the event files already there, for TensorBoard reads them in this order.
  /// - Throws: `.inputOutput` if the folder cannot be listed.
  private static func name(in folder: String, now: Double) throws -> String {
    let prefix = "events.out.tfevents."
    let names = try File.entries(of: folder).filter { $0.hasPrefix(prefix) }
    let times = names.compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }
    // Names are made by clocks; one from beyond all clocks does not count.
    let latest = times.filter { $0 < 100_000_000_000 }.max() ?? -1
    return prefix + max(Int(now), latest + 1).padded(to: 10) + ".\(ProcessInfo.processInfo.hostName).\(getpid()).0"
  }
}

/// The bytes of single records.
package enum EventRecord {
  package static func version(wall: Double) -> [UInt8] {
    framed(event(wall: wall, step: nil, payload: ProtocolBuffer.bytes(3, Array("brain.Event:2".utf8))))
  }

  /// Field 7, `SessionLog { status = START (1) }`.
  package static func sessionStart(wall: Double, step: Int) -> [UInt8] {
    framed(event(wall: wall, step: step, payload: ProtocolBuffer.bytes(7, ProtocolBuffer.integer(1, 1))))
  }

  package static func scalar(_ tag: String, _ value: Float, wall: Double, step: Int) -> [UInt8] {
    summary(tag, value: ProtocolBuffer.float(2, value), wall: wall, step: step)
  }

  /// An image, its size and colours read from the header of the PNG; nil if there is none.
  package static func image(_ tag: String, png: [UInt8], wall: Double, step: Int) -> [UInt8]? {
    let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    guard png.count > 29, png.starts(with: signature), png[12..<16].elementsEqual("IHDR".utf8) else { return nil }
    let width = png[16..<20].reduce(0) { $0 << 8 | Int($1) }
    let height = png[20..<24].reduce(0) { $0 << 8 | Int($1) }
    let colourSpace = [0: 1, 4: 1, 6: 4][Int(png[25])] ?? 3  // PNG: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA
    let fields = ProtocolBuffer.integer(1, height) + ProtocolBuffer.integer(2, width) + ProtocolBuffer.integer(3, colourSpace)
    return summary(tag, value: ProtocolBuffer.bytes(4, fields + ProtocolBuffer.bytes(4, png)), wall: wall, step: step)
  }

  private static func summary(_ tag: String, value: [UInt8], wall: Double, step: Int) -> [UInt8] {
    let entry = ProtocolBuffer.bytes(1, ProtocolBuffer.bytes(1, Array(tag.utf8)) + value)
    return framed(event(wall: wall, step: step, payload: ProtocolBuffer.bytes(5, entry)))
  }

  private static func event(wall: Double, step: Int?, payload: [UInt8]) -> [UInt8] {
    ProtocolBuffer.double(1, wall) + (step.map { ProtocolBuffer.integer(2, $0) } ?? []) + payload
  }

  private static func framed(_ data: [UInt8]) -> [UInt8] {
    let length = ProtocolBuffer.littleEndian(UInt64(data.count))
    return length + ProtocolBuffer.littleEndian(CRC32C.masked(length)) + data + ProtocolBuffer.littleEndian(CRC32C.masked(data))
  }
}

/// The few wire types of protocol buffers that event files need: field numbers below 16 and values of zero or more.
enum ProtocolBuffer {
  static func integer(_ field: UInt8, _ value: Int) -> [UInt8] { [field << 3] + varint(UInt64(value)) }
  static func double(_ field: UInt8, _ value: Double) -> [UInt8] { [field << 3 | 1] + littleEndian(value.bitPattern) }
  static func bytes(_ field: UInt8, _ value: [UInt8]) -> [UInt8] { [field << 3 | 2] + varint(UInt64(value.count)) + value }
  static func float(_ field: UInt8, _ value: Float) -> [UInt8] { [field << 3 | 5] + littleEndian(value.bitPattern) }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  static func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }
}
