import CKernels
import Testing

/// Strided copies against index arithmetic: any rank, order of axes, broadcasting, gaps and reversed axes.
@Suite struct CopyTests {
  /// A random view: the strides of `shape` in an array whose axes are permuted, with gaps, and perhaps broadcast.
  struct View {
    var strides: [Int]
    var count: Int

    init(_ shape: [Int], broadcasting: Bool, _ numbers: inout Numbers) {
      var order = Array(shape.indices)
      for i in order.indices.dropFirst() { order.swapAt(i, numbers.whole(below: i + 1)) }
      strides = [Int](repeating: 0, count: shape.count)
      count = 1
      for axis in order {
        if broadcasting && numbers.whole(below: 4) == 0 { continue }
        strides[axis] = count
        count *= shape[axis]
        if numbers.whole(below: 4) == 0 { count += numbers.whole(below: 3) * strides[axis] }
      }
    }
  }

  /// Offsets of all elements of a view in row-major order.
  static func offsets(_ shape: [Int], _ strides: [Int]) -> [Int] {
    zip(shape, strides).reduce([0]) { offsets, axis in offsets.flatMap { base in (0..<axis.0).map { base + $0 * axis.1 } } }
  }

  func check<T: Real>(_ type: T.Type, _ set: InstructionSet, _ numbers: inout Numbers) {
    let rank = numbers.whole(below: 6)
    let sizes = rank < 4 ? [1, 2, 3, 7, 16, 33, 70] : [1, 2, 3, 5, 9]
    let shape = (0..<rank).map { _ in sizes[numbers.whole(below: sizes.count)] }
    let from = View(shape, broadcasting: true, &numbers), to = View(shape, broadcasting: false, &numbers)
    let x: [T] = numbers.reals(from.count)
    var y = [T](repeating: -9, count: to.count), expected = y
    for (source, target) in zip(Self.offsets(shape, from.strides), Self.offsets(shape, to.strides)) { expected[target] = x[source] }
    T.table(set).copy(rank, shape, x, from.strides, &y, to.strides)
    #expect(y == expected, "shape \(shape), from \(from.strides) to \(to.strides)")
  }

  @Test(arguments: InstructionSet.available)
  func randomViews(_ set: InstructionSet) {
    var numbers = Numbers(seed: 11)
    for _ in 0..<400 {
      check(Float.self, set, &numbers)
      check(Double.self, set, &numbers)
    }
  }

  @Test(arguments: InstructionSet.available)
  func reversedAxes(_ set: InstructionSet) {
    let x = (0..<35).map { Float($0) }
    var y = [Float](repeating: 0, count: 35)
    x.withUnsafeBufferPointer { x in
      Float.table(set).copy(2, [5, 7], x.baseAddress.map { $0 + 34 }, [-7, -1], &y, [7, 1])
    }
    #expect(y == x.reversed())
  }

  @Test(arguments: InstructionSet.available)
  func emptyArraysAreLeftAlone(_ set: InstructionSet) {
    let x: [Float] = [1]
    var y: [Float] = [2]
    Float.table(set).copy(3, [2, 0, 3], x, [3, 3, 1], &y, [3, 3, 1])
    #expect(y == [2])
  }
}
