import Foundation

/// A layer projected into the frame at one moment: the pixels that it may cover, and their values.
struct ProjectedLayer {
  /// Map from texture coordinates to the frame, without the deformation.
  let place: Homography
  private let texture: Texture
  private let reductions: [Texture]
  private let wraps: Bool
  private let haze: SceneLayer.Haze?
  /// Set if the surface is deformed at this moment.
  private var bending: (deformation: Deformation, time: Double, motion: Homography, placement: Homography)?

  /// - Parameter time: 0 is image 1, 1 is image 2.
  init(_ layer: SceneLayer, at time: Double) {
    let motion = layer.motion.scaled(by: time)
    place = motion.after(layer.placement)
    texture = layer.texture
    reductions = layer.reductions
    wraps = layer.wraps
    haze = layer.haze
    if let deformation = layer.deformation, time != 0 { bending = (deformation, time, motion, layer.placement) }
  }

  /// A texture that ends at its border.
  init(_ texture: Texture, at place: Homography) {
    self.place = place
    self.texture = texture
    reductions = []
    wraps = false
    haze = nil
  }

  /// Visits the pixels that the surface may cover with their index, value and the share that the air lets through.
  @inline(__always)
  func visit(height: Int, width: Int, _ body: (Int, SIMD4<Float>, Float) -> Void) {
    guard let box = box(height: height, width: width) else { return }
    let visibility = haze.map { exp(-$0.density * $0.depth) } ?? 1
    if let bending {
      visitBent(bending, box, width) { body($0, $1, visibility) }
    } else if place.isAffine {
      let back = place.inverse
      let step = SIMD2<Float>(Float(back.x.x), Float(back.y.x))
      for y in box.rows {
        let start = SIMD2<Float>(back(SIMD2(Double(box.columns.lowerBound), Double(y))))
        texture.forEach(from: start, step: step, count: box.columns.count, wraps: wraps) { index, value in
          body(y * width + box.columns.lowerBound + index, value, visibility)
        }
      }
    } else {
      visitReceding(box, width, body)
    }
  }

  /// A deformed surface: solves for the position in image 1 pixel by pixel, each from its neighbour's solution.
  @inline(__always)
  private func visitBent(
    _ bending: (deformation: Deformation, time: Double, motion: Homography, placement: Homography),
    _ box: (rows: ClosedRange<Int>, columns: ClosedRange<Int>), _ width: Int, _ body: (Int, SIMD4<Float>) -> Void
  ) {
    let undone = bending.motion.inverse
    let back = bending.placement.inverse
    for y in box.rows {
      var offset = SIMD2<Double>(0, 0)
      for x in box.columns {
        let q = undone(SIMD2(Double(x), Double(y)))
        let p = bending.deformation.source(of: q, time: bending.time, near: q + offset)
        offset = p - q
        if let value = texture.value(at: SIMD2<Float>(back(p)), wraps: wraps) { body(y * width + x, value) }
      }
    }
  }

  /// A plane in perspective: distant parts are read from a reduced texture (mipmapping).
  @inline(__always)
  private func visitReceding(
    _ box: (rows: ClosedRange<Int>, columns: ClosedRange<Int>), _ width: Int, _ body: (Int, SIMD4<Float>, Float) -> Void
  ) {
    let back = place.inverse
    let step = SIMD3(back.x.x, back.y.x, back.w.x)
    // A map H = (u, v, w) changes areas by det H / w³ (the determinant of its derivative after the division).
    let determinant = abs(back.determinant)
    for y in box.rows {
      var q = back.homogeneous(SIMD2(Double(box.columns.lowerBound), Double(y)))
      for x in box.columns {
        defer { q += step }
        guard q.z > 1e-9 else { continue }
        let depth = 1 / q.z
        let point = SIMD2(Float(q.x * depth), Float(q.y * depth))
        let texel = reductions.isEmpty ? texture.value(at: point, wraps: wraps)
          : value(at: point, area: Float(determinant * depth * depth * depth))
        guard let texel else { continue }
        body(y * width + x, texel, haze.map { exp(-$0.density * ($0.depth > 0 ? $0.depth : Float(depth))) } ?? 1)
      }
    }
  }

  /// Trilinear filtering: a mixture of the two reductions whose texels are nearest to the pixel in size.
  @inline(__always)
  private func value(at p: SIMD2<Float>, area: Float) -> SIMD4<Float>? {
    guard area > 1 else { return texture.value(at: p, wraps: wraps) }
    let level = min(0.5 * log2(area), Float(reductions.count))
    let lower = min(Int(level), reductions.count - 1)
    guard let fine = reduced(p, lower), let coarse = reduced(p, lower + 1) else { return nil }
    return fine + (coarse - fine) * (level - Float(lower))
  }

  @inline(__always)
  private func reduced(_ p: SIMD2<Float>, _ level: Int) -> SIMD4<Float>? {
    guard level > 0 else { return texture.value(at: p, wraps: wraps) }
    let scale = Float(1 << level)
    return reductions[level - 1].value(at: (p + SIMD2(repeating: 0.5)) / scale - SIMD2(repeating: 0.5), wraps: wraps)
  }

  /// The rows and columns of the frame that the surface may reach; nil for none.
  private func box(height: Int, width: Int) -> (rows: ClosedRange<Int>, columns: ClosedRange<Int>)? {
    let whole = (rows: 0...height - 1, columns: 0...width - 1)
    if wraps { return whole }
    let size = SIMD2(Double(texture.width), Double(texture.height))
    let corners = [SIMD2(0, 0), SIMD2(size.x, 0), SIMD2(0, size.y), size].map { place.homogeneous($0) }
    guard corners.allSatisfy({ $0.z > 1e-6 }) else { return whole }
    let margin = bending.map { 2 * $0.deformation.reach * abs($0.time) } ?? 0
    let x = corners.map { $0.x / $0.z }
    let y = corners.map { $0.y / $0.z }
    let left = max(0, bound((x.min() ?? 0) - margin))
    let right = min(width - 1, bound((x.max() ?? 0) + margin))
    let top = max(0, bound((y.min() ?? 0) - margin))
    let bottom = min(height - 1, bound((y.max() ?? 0) + margin))
    return left <= right && top <= bottom ? (top...bottom, left...right) : nil
  }

  /// A coordinate as a whole number, kept within what an integer can hold.
  private func bound(_ value: Double) -> Int { Int(value.clamped(to: -1e6...1e6).rounded()) }
}
