import Base
import CKernels

/// An n-dimensional array of real numbers: an immutable value with shared storage, and its place in the gradient graph if it has one.
///
/// Elements are contiguous and row-major; images are channels last, `[n, h, w, c]`, token sequences `[n, t, c]`.
///
/// ```swift
/// let x = Tensor([1, 2, 3], shape: [3]).asLeaf()
/// let y = (x * x).sum()
/// y.gradients()[x]?.doubles   // [2, 4, 6]
/// ```
public struct Tensor: Sendable {
  /// The length of each axis; empty for a scalar.
  public let shape: [Int]
  var storage: Storage
  /// The op that made this tensor, or the leaf it is; nil if no gradient can reach it.
  let node: Node?

  init(shape: [Int], storage: Storage, node: Node? = nil) {
    self.shape = shape
    self.storage = storage
    self.node = node
  }

  /// Fresh memory whose contents are undefined until an op writes them.
  init(uninitialized shape: [Int], _ precision: Precision) {
    self.init(shape: shape, storage: Storage(count: Tensor.elementCount(of: shape), precision: precision))
  }

  /// The number of elements of a shape; more than can be counted is more than there is memory for.
  static func elementCount(of shape: [Int]) -> Int {
    require(!shape.contains { $0 < 0 }, "Tensor: shape \(shape) has a negative axis")
    guard !shape.contains(0) else { return 0 }
    return shape.reduce(1) { count, length in
      let (product, isOverflow) = count.multipliedReportingOverflow(by: length)
      guard !isOverflow else { MemoryPool.exhausted(Int.max) }
      return product
    }
  }

  public var precision: Precision { storage.precision }
  /// Number of axes.
  public var rank: Int { shape.count }
  /// Number of elements.
  public var count: Int { storage.count }
  /// Whether gradients flow through this tensor.
  public var isRecorded: Bool { node != nil }

  func address(_ index: Int = 0) -> UnsafeMutableRawPointer { storage.address(index) }
  var kernels: apus_kernels { precision.kernels }

  /// A new tensor of the given shape and this tensor's precision, to be written by the calling op.
  func fresh(_ shape: [Int]? = nil) -> Tensor { Tensor(uninitialized: shape ?? self.shape, precision) }
}

// MARK: - Making tensors

extension Tensor {
  /// A tensor of `values` in row-major order.
  public init(_ values: [Double], shape: [Int], precision: Precision = .float32) {
    self.init(uninitialized: shape, precision)
    require(values.count == count, "Tensor: shape \(shape) holds \(count) elements, got \(values.count) values")
    switch precision {
    case .float32:
      let p = address().assumingMemoryBound(to: Float.self)
      for i in 0..<count { p[i] = Float(values[i]) }
    case .float64:
      values.withUnsafeBytes { address().copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(address()), byteCount: $0.count) }
    }
  }

  /// A `.float32` tensor of `values` in row-major order.
  public init(_ values: [Float], shape: [Int]) {
    self.init(uninitialized: shape, .float32)
    require(values.count == count, "Tensor: shape \(shape) holds \(count) elements, got \(values.count) values")
    values.withUnsafeBytes { address().copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(address()), byteCount: $0.count) }
  }

  /// A tensor with every element equal to `value`.
  public init(filling shape: [Int], with value: Double, precision: Precision = .float32) {
    self.init(uninitialized: shape, precision)
    let y = self
    parallelFor(count, grain: 1 << 18) { y.kernels.fill(y.address($0.lowerBound), $0.count, value) }
  }

  public static func zeros(_ shape: [Int], _ precision: Precision = .float32) -> Tensor {
    Tensor(filling: shape, with: 0, precision: precision)
  }

  public static func ones(_ shape: [Int], _ precision: Precision = .float32) -> Tensor {
    Tensor(filling: shape, with: 1, precision: precision)
  }

  /// A scalar.
  public init(_ value: Double, precision: Precision = .float32) {
    self.init(filling: [], with: value, precision: precision)
  }

  /// Independent numbers from `random`, uniform in `[low, high)`.
  public static func uniform(
    _ shape: [Int], from low: Double, to high: Double, _ random: inout Random, precision: Precision = .float32
  ) -> Tensor {
    drawn(shape, precision, &random, words: 2) { k, source, first, count, y in k.random_uniform(source, first, count, low, high, y) }
  }

  /// Independent numbers from `random`, normal with mean 0 and the given standard deviation.
  public static func normal(
    _ shape: [Int], deviation: Double = 1, _ random: inout Random, precision: Precision = .float32
  ) -> Tensor {
    drawn(shape, precision, &random, words: 4) { k, source, first, count, y in k.random_normal(source, first, count, deviation, y) }
  }

  /// Elements drawn by a kernel on all threads, with the bits that drawing them in order gives.
  /// - Parameter words: of 32 bits, for each element.
  private static func drawn(
    _ shape: [Int], _ precision: Precision, _ random: inout Random, words: Int,
    _ kernel: @escaping @Sendable (
      apus_kernels, UnsafePointer<apus_random>, _ first: Int, _ count: Int, _ y: UnsafeMutableRawPointer
    ) -> Void
  ) -> Tensor {
    let y = Tensor(uninitialized: shape, precision), start = apus_random(random)
    random.skip(words * y.count)
    parallelFor(y.count, grain: 1 << 13) { range in
      var source = start
      kernel(y.kernels, &source, range.lowerBound, range.count, y.address(range.lowerBound))
    }
    return y
  }
}

// MARK: - Reading tensors

extension Tensor {
  /// All elements in row-major order.
  public var doubles: [Double] {
    withExtendedLifetime(storage) {
      switch precision {
      case .float32: UnsafeBufferPointer(start: address().assumingMemoryBound(to: Float.self), count: count).map(Double.init)
      case .float64: Array(UnsafeBufferPointer(start: address().assumingMemoryBound(to: Double.self), count: count))
      }
    }
  }

  /// All elements in row-major order, rounded to single precision if necessary.
  public var floats: [Float] {
    withExtendedLifetime(storage) {
      switch precision {
      case .float32: Array(UnsafeBufferPointer(start: address().assumingMemoryBound(to: Float.self), count: count))
      case .float64: UnsafeBufferPointer(start: address().assumingMemoryBound(to: Double.self), count: count).map(Float.init)
      }
    }
  }

  /// The only element.
  public var item: Double {
    require(count == 1, "item: a tensor of shape \(shape) has \(count) elements, one is needed")
    return doubles[0]
  }

  /// The elements as bytes in memory order (little-endian on every machine we support).
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) {
      try body(UnsafeRawBufferPointer(start: address(), count: count * precision.byteCount))
    }
  }

  /// A tensor whose elements are copied from `bytes` (row-major, in this machine's byte order).
  public init(bytes: UnsafeRawBufferPointer, shape: [Int], precision: Precision) {
    self.init(uninitialized: shape, precision)
    require(bytes.count == count * precision.byteCount,
      "Tensor: shape \(shape) in \(precision.rawValue) takes \(count * precision.byteCount) bytes, got \(bytes.count)")
    UnsafeMutableRawBufferPointer(start: address(), count: bytes.count).copyMemory(from: bytes)
  }

  /// Whether no element is infinite or NaN.
  public var isFinite: Bool { kernels.all_finite(address(), count) != 0 }

  /// The sum of the squares of all elements, accumulated in double.
  public var sumOfSquares: Double {
    let grain = 1 << 16
    let blocks = (count + grain - 1) / grain
    let partial = Tensor(uninitialized: [Swift.max(blocks, 1)], .float64)
    partial.address().assumingMemoryBound(to: Double.self)[0] = 0
    let x = self
    parallelFor(count, grain: grain) { range in
      partial.address().assumingMemoryBound(to: Double.self)[range.lowerBound / grain] =
        x.kernels.sum_of_squares(x.address(range.lowerBound), range.count)
    }
    return partial.doubles.reduce(0, +)
  }

  /// Equal shape, precision and bits.
  public func isIdentical(to other: Tensor) -> Bool {
    guard shape == other.shape, precision == other.precision else { return false }
    return withBytes { a in other.withBytes { b in a.elementsEqual(b) } }
  }
}

// MARK: - Keeping values

extension Tensor {
  /// What `make` computes of these elements and those of `others` alone, kept under a name until any of them changes; computed every time
  /// where gradients are to flow through it.
  public func values(_ name: String, with others: [Tensor], _ make: () -> [Tensor]) -> [Tensor] {
    guard !Recording.isOn || !([self] + others).contains(where: \.isRecorded) else { return make() }
    return storage.values(name, with: others.map(\.storage), make)
  }
}

// MARK: - Writing in place

extension Tensor {
  /// Lets `body` write to the elements; copies them first if another tensor shares them. The result is a plain value without graph.
  ///
  /// For optimisers and running statistics, whose memory would otherwise double in every step.
  mutating func updateInPlace(_ body: (Tensor) -> Void) {
    self = isUnique ? Tensor(shape: shape, storage: storage) : copied()
    storage.forgetDerived()
    body(self)
  }

  /// Whether no other tensor shares the elements.
  var isUnique: Bool { mutating get { isKnownUniquelyReferenced(&storage) } }

  /// The same elements in memory of their own, without graph.
  func copied() -> Tensor {
    let y = fresh()
    y.address().copyMemory(from: address(), byteCount: count * precision.byteCount)
    return y
  }
}
