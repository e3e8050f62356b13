import Foundation

/// Stretches of address space from the system that begin at a huge page and lie within huge pages where the system has them.
enum HugePages {
  static let size = 2 << 20

  /// `byteCount` bytes of zeros; `nil` if the system refuses.
  /// - Parameter isPromised: whether the system counts them as used from now on, or only once they are written.
  static func map(_ byteCount: Int, isPromised: Bool = true) -> UnsafeMutableRawPointer? {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | (isPromised ? 0 : MAP_NORESERVE)
    guard let start = mmap(nil, byteCount + size, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED else { return nil }
    let before = (size - Int(bitPattern: start) % size) % size
    if before > 0 { munmap(start, before) }
    munmap(start + before + byteCount, size - before)
    madvise(start + before, byteCount, Int32(MADV_HUGEPAGE))
    return start + before
  }
}
