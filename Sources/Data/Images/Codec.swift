import Base

/// The common part of the image codecs: limits checked before memory is asked for, and the calls of their C shims.
enum Codec {
  /// 2²⁸ pixels, 16384 x 16384: far above any data set, far below what a forged header can claim.
  static let largestPixelCount = 1 << 28
  /// Bytes of a file, at most: what a flow field of so many pixels takes, and its header.
  static let largestFile = 8 * largestPixelCount + 4096

  /// The pixel count of a picture.
  /// - Throws: `.badData` if a side is not positive or the picture is larger than `largestPixelCount`.
  static func pixelCount(height: Int, width: Int, place: String) throws -> Int {
    let (count, overflows) = height.multipliedReportingOverflow(by: width)
    guard height > 0, width > 0, !overflows, count <= largestPixelCount else {
      throw Failure(.badData, at: place,
                    "the header claims \(width) x \(height) pixels, expected at least 1 x 1 and at most \(largestPixelCount) in all")
    }
    return count
  }

  /// Calls a codec shim with room for its message.
  /// - Returns: nil on success, else the library's message.
  static func message(of call: (UnsafeMutablePointer<CChar>, Int) -> Int32) -> String? {
    var text = [CChar](repeating: 0, count: 256)
    let failed = text.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { call($0, buffer.count) != 0 } ?? true
    }
    guard failed else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Runs a writing codec: `call` gets the address of the growing file as its context.
  static func collect(_ call: (UnsafeMutableRawPointer) -> String?) -> (bytes: [UInt8], problem: String?) {
    var bytes: [UInt8] = []
    let problem = withUnsafeMutablePointer(to: &bytes) { call(UnsafeMutableRawPointer($0)) }
    return (bytes, problem)
  }

  /// Appends to the file that `collect` passed as context.
  static func append(_ context: UnsafeMutableRawPointer?, _ source: UnsafePointer<UInt8>?, _ count: Int) {
    guard let context else { return }
    context.assumingMemoryBound(to: [UInt8].self).pointee.append(contentsOf: UnsafeBufferPointer(start: source, count: count))
  }
}
