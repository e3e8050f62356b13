import Base
import Foundation
import Synchronization

/// Where tensors get their memory: aligned blocks, kept for the next tensor instead of going back to the system.
///
/// Fresh pages cost about 0.5 s per GiB, so a training step that returned its memory would pay for it again in every step.
/// Large tensors are cut from one arena. Small ones, and working memory, have blocks in size classes, spaced by a quarter of a power of
/// two.
///
/// Tensors are made by one thread in a fixed order, so once a step needed nothing from the system, no later one of its kind will. How many
/// threads hold working memory at a time is chance: it has blocks of its own by nesting depth, at once one for each thread.
public enum MemoryPool {
  /// What the pool holds and held, in bytes.
  public struct Statistics: Sendable, Equatable {
    /// Bytes that live tensors occupy now (whole blocks).
    public var inUse = 0
    /// The most that was in use at one time.
    public var highWater = 0
    /// Bytes obtained from the system and not returned.
    public var reserved = 0
    /// Bytes ever given to tensors and kernels.
    public var handedOut = 0
    /// How often the system was asked for memory.
    public var systemAllocations = 0
  }

  /// What a block is for.
  enum Use: Hashable {
    case tensor
    /// Working memory of a thread that holds `depth` blocks of it already.
    case scratch(depth: Int)
  }

  struct Block: Sendable {
    fileprivate let place: UInt
    let size: Int
    fileprivate let use: Use

    fileprivate var isInArena: Bool { use == .tensor && size >= smallestInArena }

    var address: UnsafeMutableRawPointer {
      guard let address = UnsafeMutableRawPointer(bitPattern: place) else { stop("MemoryPool: a block at no place") }
      return address
    }
  }

  private struct State: Sendable {
    var arena = Arena()
    var free: [Use: [Int: [Block]]] = [:]  // by size
    var statistics = Statistics()

    mutating func take(_ size: Int, _ use: Use) -> Block? { free[use]?[size]?.popLast() }

    mutating func put(_ block: Block) {
      if block.isInArena {
        arena.put(Arena.Stretch(start: block.place, size: block.size))
      } else {
        free[block.use, default: [:]][block.size, default: []].append(block)
      }
    }

    /// From the arena; `nil` if the system has no memory left.
    mutating func cut(_ size: Int) -> Block? {
      var place = arena.take(size)
      if place == nil {
        let before = arena.reserved
        guard arena.grow(for: size) else { return nil }
        statistics.reserved += arena.reserved - before
        statistics.systemAllocations += 1
        place = arena.take(size)
      }
      return place.map { Block(place: $0, size: size, use: .tensor) }
    }

    mutating func count(_ block: Block) {
      statistics.inUse += block.size
      statistics.handedOut += block.size
      statistics.highWater = max(statistics.highWater, statistics.inUse)
    }
  }

  private static let state = Mutex(State())
  private static let smallestInArena = 64 << 10

  public static var statistics: Statistics { state.withLock { $0.statistics } }

  /// Forgets the high-water mark, so that it can be read for one phase of a program.
  public static func resetHighWater() {
    state.withLock { $0.statistics.highWater = $0.statistics.inUse }
  }

  /// Returns all unused blocks to the system.
  public static func trim() {
    let blocks = state.withLock { state in
      let blocks = state.free.values.flatMap { $0.values.joined() }, inArena = state.arena.reserved
      state.free = [:]
      state.arena.trim()
      state.statistics.reserved -= blocks.reduce(0) { $0 + $1.size } + inArena - state.arena.reserved
      return blocks
    }
    for block in blocks {
      if block.size >= HugePages.size { munmap(block.address, block.size) } else { free(block.address) }
    }
  }

  /// The block size that serves a request: 64 bytes at least, else the next quarter of a power of two.
  static func blockSize(for byteCount: Int) -> Int {
    guard byteCount > 64 else { return 64 }
    let quarter = max(16, (1 << (Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount)) / 4)
    return (byteCount + quarter - 1) / quarter * quarter
  }

  static func allocate(_ byteCount: Int, for use: Use) -> Block {
    let size = blockSize(for: byteCount)
    if use == .tensor, size >= smallestInArena {
      return large(max(smallestInArena, (byteCount + Arena.page - 1) / Arena.page * Arena.page))
    }
    let recycled = state.withLock { state in
      let block = state.take(size, use)
      if let block { state.count(block) }
      return block
    }
    if let recycled { return recycled }
    let blocks = (0..<(use == .tensor ? 1 : ThreadPool.shared.threadCount)).map { _ in fresh(size, use) }
    return state.withLock { state in
      state.statistics.reserved += size * blocks.count
      state.statistics.systemAllocations += blocks.count
      for block in blocks.dropFirst() { state.put(block) }
      state.count(blocks[0])
      return blocks[0]
    }
  }

  private static func large(_ size: Int) -> Block {
    let block = state.withLock { state in
      let block = state.cut(size)
      if let block { state.count(block) }
      return block
    }
    guard let block else { exhausted(size) }
    return block
  }

  private static func exhausted(_ size: Int) -> Never {
    stop("MemoryPool: the system has no \(size >> 20) MiB left (\(statistics.inUse >> 20) MiB are in use); use a smaller batch or crop")
  }

  static func recycle(_ block: Block) {
    state.withLock { state in
      state.statistics.inUse -= block.size
      state.put(block)
    }
  }

  /// Memory from the system: large blocks begin at a huge page.
  private static func fresh(_ size: Int, _ use: Use) -> Block {
    var pointer: UnsafeMutableRawPointer?
    if size >= HugePages.size {
      pointer = HugePages.map(size)
    } else if posix_memalign(&pointer, 64, size) != 0 {
      pointer = nil
    }
    guard let pointer else { exhausted(size) }
    return Block(place: UInt(bitPattern: pointer), size: size, use: use)
  }
}
