import Base

/// COCO's compressed counts: each is a difference to the one before the last, in digits of 5 bits, lowest first, as characters from `0`
/// (code 48) on. Bit 5 of a digit says that more follow; bit 4 of the last one is the sign. The first three counts stand as they are.
extension RunLengthMask {
  /// - Parameter text: `counts` of a COCO segmentation.
  /// - Throws: `.badData` with the place in the text if it is not of this form, or the counts are not of this size.
  public init(height: Int, width: Int, compressedCounts text: String) throws {
    let pixels = try Self.pixelCount(height, width)
    var counts: [Int] = []
    var value = 0
    var shift = 0
    for (place, byte) in text.utf8.enumerated() {
      guard 48..<112 ~= byte, shift < 40 else {
        throw Self.damage("compressed run lengths, character \(place + 1): '\(Unicode.Scalar(byte))' does not belong here")
      }
      let digit = Int(byte) - 48
      value |= (digit & 0x1F) << shift
      shift += 5
      guard digit & 0x20 == 0 else { continue }
      if digit & 0x10 != 0 { value |= -1 << shift }
      let count = counts.count > 2 ? value + counts[counts.count - 2] : value
      guard 0...pixels ~= count else {
        throw Self.damage("compressed run lengths, character \(place + 1): a run of \(count) pixels in a mask of \(height) x \(width)")
      }
      counts.append(count)
      value = 0
      shift = 0
    }
    guard shift == 0 else { throw Self.damage("compressed run lengths end in the middle of a number") }
    try self.init(height: height, width: width, counts: counts)
  }

  /// `counts` of a COCO segmentation; equal to pycocotools' to the byte.
  public var compressedCounts: String {
    var text: [UInt8] = []
    for (index, count) in counts.enumerated() {
      var rest = index > 2 ? Int(count) - Int(counts[index - 2]) : Int(count)
      while true {
        let digit = UInt8(rest & 0x1F)
        rest >>= 5
        let isLast = digit & 0x10 == 0 ? rest == 0 : rest == -1
        text.append(48 + digit + (isLast ? 0 : 0x20))
        if isLast { break }
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
