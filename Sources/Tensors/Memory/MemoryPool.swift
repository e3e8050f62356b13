import Foundation
import Synchronization

/// Where tensors get their memory: aligned blocks in size classes, kept for the next tensor instead of going back to the system.
///
/// Fresh pages cost about 0.5 s per GiB, so a training step that returned its memory would pay for it again in every step.
/// Classes are spaced by a quarter of a power of two, so at most a fifth of a block is unused.
public enum MemoryPool {
  /// What the pool holds and held, in bytes.
  public struct Statistics: Sendable, Equatable {
    /// Bytes that live tensors occupy now (whole blocks).
    public var inUse = 0
    /// The most that was in use at one time.
    public var highWater = 0
    /// Bytes obtained from the system and not returned.
    public var reserved = 0
    /// How often the system was asked for memory.
    public var systemAllocations = 0
  }

  private struct State: Sendable {
    var free: [Int: [UInt]] = [:]  // block size → addresses
    var statistics = Statistics()
  }

  private static let state = Mutex(State())
  private static let hugePage = 2 << 20

  public static var statistics: Statistics { state.withLock { $0.statistics } }

  /// Forgets the high-water mark, so that it can be read for one phase of a program.
  public static func resetHighWater() {
    state.withLock { $0.statistics.highWater = $0.statistics.inUse }
  }

  /// Returns all unused blocks to the system.
  public static func trim() {
    let blocks = state.withLock { state in
      defer { state.free = [:] }
      for (size, addresses) in state.free { state.statistics.reserved -= size * addresses.count }
      return state.free.values.flatMap { $0 }
    }
    for address in blocks { free(UnsafeMutableRawPointer(bitPattern: address)) }
  }

  /// The block size that serves a request: 64 bytes at least, else the next quarter of a power of two.
  static func blockSize(for byteCount: Int) -> Int {
    guard byteCount > 64 else { return 64 }
    let quarter = max(16, (1 << (Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount)) / 4)
    return (byteCount + quarter - 1) / quarter * quarter
  }

  static func allocate(_ blockSize: Int) -> UnsafeMutableRawPointer {
    let recycled = state.withLock { state -> UInt? in
      state.statistics.inUse += blockSize
      state.statistics.highWater = max(state.statistics.highWater, state.statistics.inUse)
      if let address = state.free[blockSize]?.popLast() { return address }
      state.statistics.reserved += blockSize
      state.statistics.systemAllocations += 1
      return nil
    }
    if let recycled, let pointer = UnsafeMutableRawPointer(bitPattern: recycled) { return pointer }
    let alignment = blockSize >= hugePage ? hugePage : 64
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, alignment, blockSize) == 0, let pointer else {
      stop("MemoryPool: the system has no \(blockSize >> 20) MiB left (\(statistics.inUse >> 20) MiB are in use); "
        + "use a smaller batch or crop")
    }
    if blockSize >= hugePage { madvise(pointer, blockSize, Int32(MADV_HUGEPAGE)) }
    return pointer
  }

  static func recycle(_ pointer: UnsafeMutableRawPointer, _ blockSize: Int) {
    state.withLock { state in
      state.statistics.inUse -= blockSize
      state.free[blockSize, default: []].append(UInt(bitPattern: pointer))
    }
  }
}
