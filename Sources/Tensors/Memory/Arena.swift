import Foundation

/// One stretch of address space that large tensors share: ranges are cut to size, and neighbours that are free grow together again.
///
/// The smallest free range that fits serves, so a training step needs little more memory than its tensors hold at the worst moment;
/// blocks in size classes took a third more. Pages come from the system when they are first needed, and lie within huge pages.
struct Arena: Sendable {
  struct Stretch: Sendable {
    var start: UInt
    var size: Int
    var end: UInt { start + UInt(size) }
  }

  /// Ranges are multiples of a page.
  static let page = 4 << 10
  /// Free memory, and reserved addresses without memory: sorted by address, neighbours merged.
  private var free: [Stretch] = [], empty: [Stretch] = []
  /// Bytes of the arena that are backed by memory.
  private(set) var reserved = 0

  /// The start of `size` bytes of free memory; `nil` if no range is large enough.
  mutating func take(_ size: Int) -> UInt? {
    var best: Int?
    for index in free.indices where free[index].size >= size && (best.map { free[index].size < free[$0].size } ?? true) { best = index }
    return best.map { Self.cut(size, from: $0, of: &free) }
  }

  /// Adds memory from the system so that the next `take` of this size succeeds; false if there is none.
  mutating func grow(for size: Int) -> Bool {
    if reserved == 0, empty.isEmpty, let all = Self.addresses() { empty = [all] }
    for (index, range) in empty.enumerated() {
      let before = free.last { $0.end == range.start }?.size ?? 0
      guard before + range.size >= size else { continue }
      // Up to the end of a huge page, which has memory as a whole or not at all.
      let unit = UInt(HugePages.size), end = (range.start + UInt(size - before) + unit - 1) / unit * unit
      let more = min(Int(end - range.start), range.size)
      put(Stretch(start: Self.cut(more, from: index, of: &empty), size: more))
      reserved += more
      return true
    }
    return false
  }

  mutating func put(_ stretch: Stretch) { Self.insert(stretch, into: &free) }

  /// Returns all free memory to the system.
  mutating func trim() {
    for range in free {
      if let address = UnsafeMutableRawPointer(bitPattern: range.start) { madvise(address, range.size, Int32(MADV_DONTNEED)) }
      reserved -= range.size
      Self.insert(range, into: &empty)
    }
    free = []
  }

  private static func cut(_ size: Int, from index: Int, of ranges: inout [Stretch]) -> UInt {
    let start = ranges[index].start
    if ranges[index].size == size {
      ranges.remove(at: index)
    } else {
      ranges[index].start += UInt(size)
      ranges[index].size -= size
    }
    return start
  }

  private static func insert(_ stretch: Stretch, into ranges: inout [Stretch]) {
    var (low, high) = (0, ranges.count)  // the first range behind it
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].start < stretch.start { low = middle + 1 } else { high = middle }
    }
    let joinsBefore = low > 0 && ranges[low - 1].end == stretch.start, joinsBehind = low < ranges.count && stretch.end == ranges[low].start
    switch (joinsBefore, joinsBehind) {
    case (true, true): ranges[low - 1].size += stretch.size + ranges.remove(at: low).size
    case (true, false): ranges[low - 1].size += stretch.size
    case (false, true): ranges[low] = Stretch(start: stretch.start, size: stretch.size + ranges[low].size)
    case (false, false): ranges.insert(stretch, at: low)
    }
  }

  /// Addresses for as much as the machine has, or as much of it as a limit of the process allows.
  private static func addresses() -> Stretch? {
    var size = Int(ProcessInfo.processInfo.physicalMemory) / HugePages.size * HugePages.size
    while size >= 32 * HugePages.size {
      if let start = HugePages.map(size, isPromised: false) { return Stretch(start: UInt(bitPattern: start), size: size) }
      size = size / 2 / HugePages.size * HugePages.size
    }
    return nil
  }
}
