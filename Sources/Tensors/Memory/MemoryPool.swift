import Base
import CKernels
import Foundation
import Synchronization

/// The allocator of tensors: aligned blocks, kept for the next tensor instead of going back to the system.
///
/// Fresh pages cost about 0.5 s per GiB, so a training step that returned its memory would pay for it again in every step.
/// Large tensors are cut from one arena. Small ones, and working memory, have blocks in size classes, spaced by a quarter of a power of
/// two.
///
/// The order of tensor allocations is deterministic, so the steady state is reached after one step. Demand for working memory depends on
/// how threads are scheduled, so each nesting depth reserves one block for each thread at once.
///
/// A demand beyond `limit`, or beyond what the system has left, ends the process through `ProcessExit`: the system would otherwise kill it,
/// or others, without a word.
public enum MemoryPool {
  /// Memory of the pool now and at most, in bytes.
  public struct Statistics: Sendable, Equatable {
    /// Bytes that live tensors occupy now (whole blocks).
    public var inUse = 0
    /// The most that was in use at one time.
    public var highWater = 0
    /// Bytes obtained from the system and not returned.
    public var reserved = 0
    /// Bytes ever given to tensors and kernels.
    public var handedOut = 0
    /// The number of requests to the system.
    public var systemAllocations = 0
  }

  /// The purpose of a block.
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
    var limit = SystemMemory.limit
    /// Bytes taken since the system was last asked what it has left.
    var unchecked = checkInterval
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

    /// Whether the limit and the system leave so many more bytes.
    mutating func mayReserve(_ size: Int) -> Bool {
      guard size <= limit - statistics.reserved else { return false }
      unchecked += size
      guard unchecked >= checkInterval, let available = SystemMemory.available else { return true }
      unchecked = 0
      return size <= available
    }

    /// From the arena; `nil` if there is no memory left.
    mutating func cut(_ size: Int) -> Block? {
      var place = arena.take(size)
      if place == nil {
        let before = arena.reserved
        guard mayReserve(size), arena.grow(for: size) else { return nil }
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
  /// Bytes that may be taken before the system's free memory is read again.
  private static let checkInterval = 32 << 20

  public static var statistics: Statistics { state.withLock { $0.statistics } }

  /// The most that the pool may hold, in bytes. At first the memory of the machine, or what a control group or a limit of the process
  /// leaves of it.
  public static var limit: Int {
    get { state.withLock { $0.limit } }
    set { state.withLock { $0.limit = newValue } }
  }

  /// Bytes that tensors could still take: what the pool holds unused, and what limit and system leave.
  public static var available: Int {
    state.withLock { state in
      let more = min(state.limit - state.statistics.reserved, SystemMemory.available ?? Int.max)
      return state.statistics.reserved - state.statistics.inUse + max(0, more)
    }
  }

  /// Forgets the high-water mark, so that it can be read for one phase of a program.
  public static func resetHighWater() {
    state.withLock { $0.statistics.highWater = $0.statistics.inUse }
  }

  /// Lets arrays beside tensors (decoded images) go back to the system when they die. To be called once, at the start of a program.
  ///
  /// glibc gives arrays from a threshold on pages of their own, but raises it to the size of what was freed, up to 32 MiB. Images then lie
  /// in the heap between small blocks that live longer and hold the pages: a run with evaluations grew by 12 % over the first ten of them.
  public static func keepHeapSmall() { apus_malloc_apart(128 << 10) }

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

  /// A block for `count` elements.
  static func allocate(_ count: Int, _ precision: Precision, for use: Use) -> Block {
    let (byteCount, isOverflow) = count.multipliedReportingOverflow(by: precision.byteCount)
    guard !isOverflow, byteCount < 1 << 56 else { exhausted(Int.max) }
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
    let count = use == .tensor ? 1 : ThreadPool.shared.threadCount
    guard state.withLock({ $0.mayReserve(size * count) }) else { exhausted(size * count) }
    let blocks = (0..<count).map { _ in fresh(size, use) }
    return state.withLock { state in
      state.statistics.reserved += size * blocks.count
      state.statistics.systemAllocations += blocks.count
      for block in blocks.dropFirst() { state.put(block) }
      state.count(blocks[0])
      return blocks[0]
    }
  }

  private static func large(_ size: Int) -> Block {
    func cut() -> Block? {
      state.withLock { state in
        let block = state.cut(size)
        if let block { state.count(block) }
        return block
      }
    }
    if let block = cut() { return block }
    trim()  // free ranges that are too small serve as memory elsewhere
    guard let block = cut() else { exhausted(size) }
    return block
  }

  /// Ends the process: no tensor op throws.
  static func exhausted(_ size: Int) -> Never {
    let statistics = statistics
    let asked = size == Int.max ? "more than can be counted" : "\(size >> 20) MiB"
    ProcessExit.end(with: Failure(.outOfMemory, at: "",
      "out of memory: asked for \(asked), \(available >> 20) MiB are available (\(statistics.inUse >> 20) MiB in use); "
        + "use a smaller batch_size or crop"))
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
