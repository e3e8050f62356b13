import Foundation
import Testing
import Vision

@Suite struct ForwardInterpolationTests {
  /// The definition, pixel by pixel.
  private func reference(_ flow: FlowField) -> FlowField {
    let (h, w) = (flow.height, flow.width)
    var result = FlowField(height: h, width: w, vectors: Array(repeating: 0, count: 2 * h * w))
    for y in 0..<h {
      for x in 0..<w {
        var best: (distance: Double, source: Int)?
        for i in 0..<h * w where flow.isValid[i] {
          let px = Double(i % w) + Double(flow.vectors[2 * i]), py = Double(i / w) + Double(flow.vectors[2 * i + 1])
          guard px > 0, px < Double(w), py > 0, py < Double(h) else { continue }
          let distance = (px - Double(x)) * (px - Double(x)) + (py - Double(y)) * (py - Double(y))
          if distance < best?.distance ?? .infinity { best = (distance, i) }
        }
        if let source = best?.source { result[y, x] = (flow.vectors[2 * source], flow.vectors[2 * source + 1]) }
      }
    }
    return result
  }

  /// Reproducible numbers in -1...1.
  private struct Numbers {
    var state: UInt64

    mutating func next() -> Float {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Double(state >> 11) / Double(1 << 52)) - 1
    }
  }

  @Test(arguments: [(1, 1), (1, 9), (8, 1), (2, 3), (13, 17), (30, 21)], [Float(0), 0.4, 2, 9, 60])
  func equalsTheDefinition(size: (Int, Int), reach: Float) {
    var numbers = Numbers(state: UInt64(size.0 * 100 + size.1) + UInt64(reach * 10) << 32)
    for holes in [false, true] {
      let vectors = (0..<2 * size.0 * size.1).map { _ in reach * numbers.next() }
      let isValid = (0..<size.0 * size.1).map { _ in !holes || numbers.next() > 0.3 }
      let flow = FlowField(height: size.0, width: size.1, vectors: vectors, isValid: isValid)
      let isEqual = flow.forwardInterpolated() == reference(flow)
      #expect(isEqual, "\(size) reach \(reach)")
    }
  }

  /// Whole and half steps: many vectors land on one place, and many nodes lie between two of them.
  @Test(arguments: [1, 2, 5]) func equallyNearOnesAreTakenInRowOrder(reach: Int) {
    var numbers = Numbers(state: UInt64(reach))
    let flow = FlowField(height: 11, width: 14, vectors: (0..<2 * 11 * 14).map { _ in (Float(2 * reach) * numbers.next()).rounded() / 2 })
    let isEqual = flow.forwardInterpolated() == reference(flow)
    #expect(isEqual)
  }

  /// Worked by hand: all of a row of six moves by two to the right. The ends of 0...3 land on 2...5 and stay, those of 4 and 5 leave
  /// (6 is not below the width). Nodes 0 and 1 have the first vector nearest.
  @Test func aMovingRow() {
    let flow = FlowField(height: 2, width: 6, vectors: (0..<12).flatMap { [$0 < 6 ? 2 : 2 + Float($0) / 100, 0.25] })
    let moved = flow.forwardInterpolated()
    for (x, u) in [Float(2.06), 2.06, 2.06, 2.07, 2.08, 2.09].enumerated() { #expect(abs(moved[1, x].u - u) < 1e-6, "column \(x)") }
    #expect(moved[0, 3].u == 2 && moved[0, 3].v == 0.25, "the first row's vectors land a quarter below it")
  }

  @Test func borderEndPointsDoNotCount() {
    // (0, 0.5) lies on the left border, (1, 2) on the lower one: neither is strictly inside; (1, 0.5) is.
    let flow = FlowField(height: 2, width: 2, vectors: [0, 0.5, 0, 0.5, 1, 1, 0, 1])
    #expect(flow.forwardInterpolated().vectors == [0, 0.5, 0, 0.5, 0, 0.5, 0, 0.5])
  }

  @Test func atRestIfEverythingLeaves() {
    let flow = FlowField(height: 3, width: 4, vectors: Array(repeating: -50, count: 24))
    #expect(flow.forwardInterpolated().vectors == Array(repeating: 0, count: 24))
    let broken = FlowField(height: 3, width: 4, vectors: Array(repeating: .nan, count: 24))
    #expect(broken.forwardInterpolated().vectors == Array(repeating: 0, count: 24))
  }

  /// Sums over a smooth field, from SciPy 1.17's `griddata(..., method="nearest")` on the vectors strictly inside.
  @Test func equalsSciPy() {
    var flow = FlowField(height: 13, width: 17, vectors: Array(repeating: 0, count: 2 * 13 * 17))
    for y in 0..<13 {
      for x in 0..<17 {
        flow[y, x] = (Float(3 * sin(0.7 * Double(x) + 1.3 * Double(y))), Float(2.5 * cos(1.1 * Double(x) - 0.4 * Double(y))))
      }
    }
    let moved = flow.forwardInterpolated()
    func weightedSum(_ component: Int) -> Double { (0..<221).reduce(0) { $0 + Double($1 + 1) * Double(moved.vectors[2 * $1 + component]) } }
    #expect(abs(weightedSum(0) - 3731.295679293573) < 1e-3)
    #expect(abs(weightedSum(1) - 5656.723188512959) < 1e-3)
    #expect(abs(moved[6, 8].u - 2.916022539138794) < 1e-6 && abs(moved[6, 8].v + 1.6656900644302368) < 1e-6)
  }
}
