import Base

/// Damaged copies of a sound file, for tests that readers end with a result or a `Failure`, never with a trap or without end.
public enum Mutation {
  /// Copy number `index` of a file: bits flipped, numbers made extreme, pieces cut out, doubled or put elsewhere; mostly within the first
  /// bytes, where headers lie. The same index gives the same bytes.
  public static func copy(_ index: Int, of bytes: [UInt8], head: Int = 128) -> [UInt8] {
    var random = Random(seed: 7, stream: .test, epoch: 0, sample: index), result = bytes
    for _ in 0..<random.integer(in: 1..<5) {
      guard !result.isEmpty else { return result }
      let reach = random.chance(0.7) ? min(head, result.count) : result.count
      let place = random.integer(in: 0..<reach)
      switch random.integer(in: 0..<7) {
      case 0: result[place] ^= 1 << UInt8(random.integer(in: 0..<8))
      case 1: result[place] = UInt8(truncatingIfNeeded: random.nextWord())
      case 2: extreme(&result, place, &random)
      case 3: result.removeSubrange(place..<min(result.count, place + random.integer(in: 1..<9)))
      case 4: result.removeLast(result.count - place)
      case 5: result.insert(contentsOf: result[place..<min(result.count, place + random.integer(in: 1..<33))], at: place)
      default:
        let other = random.integer(in: 0..<result.count)
        result.swapAt(place, other)
      }
    }
    return result
  }

  /// Writes a number of 1, 2, 4 or 8 bytes at an edge of its range, or a text of digits.
  private static func extreme(_ bytes: inout [UInt8], _ place: Int, _ random: inout Random) {
    let edges: [[UInt8]] = [
      [0xFF], [0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0x7F], [0x7F, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [0, 0, 0, 0x80],
      [UInt8](repeating: 0xFF, count: 8), [UInt8](repeating: 0, count: 8), [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
      Array("9223372036854775807".utf8), Array("-1".utf8), Array("4294967296".utf8), Array("1e99".utf8), Array("\u{1B}[2J".utf8),
    ]
    for (offset, byte) in edges[random.integer(in: 0..<edges.count)].enumerated() where place + offset < bytes.count { bytes[place + offset] = byte }
  }
}
