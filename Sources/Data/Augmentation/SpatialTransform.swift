import Base
import Foundation
import Vision

/// One drawn resize, flip and crop, applied alike to both images and the flow.
///
/// A point at `p` (pixel centres at integers) goes to `s (p + ½) - ½`, then to `n - 1 - p` if flipped, then to `p - offset`. Both frames
/// move alike, so a vector is multiplied by `s` and negated by a flip, and the pair stays consistent.
package struct SpatialTransform: Sendable {
  package let rows: ResamplingAxis
  package let columns: ResamplingAxis
  /// The factors of the vectors' components.
  package let factor: SIMD2<Float>
  /// Moves the vectors of sparse flow one by one; nil for dense flow, or without a resize.
  private let scatter: SparseFlowTransform?

  /// Draws a transform for images of `height` by `width`.
  package init(_ settings: FlowAugmentation, height: Int, width: Int, random: inout Random) {
    let drawn = SpatialTransform.scale(settings, height: height, width: width, random: &random)
    let scale = drawn ?? SIMD2(1, 1)
    let flipsX = settings.spatial && random.chance(settings.horizontalFlipProbability)
    let flipsY = settings.spatial && random.chance(settings.verticalFlipProbability)
    let rowCount = ResamplingAxis.count(resizing: height, by: scale.y)
    let columnCount = ResamplingAxis.count(resizing: width, by: scale.x)
    let top = SpatialTransform.offset(settings, slack: rowCount - settings.cropHeight, ahead: 0,
                                      beyond: settings.overhangRows, random: &random)
    let left = SpatialTransform.offset(
      settings, slack: columnCount - settings.cropWidth, ahead: settings.overhangColumns, beyond: settings.overhangColumns, random: &random)
    let ranges = (y: top..<top + settings.cropHeight, x: left..<left + settings.cropWidth)
    rows = ResamplingAxis(resizing: height, by: scale.y, keeping: ranges.y, isFlipped: flipsY)
    columns = ResamplingAxis(resizing: width, by: scale.x, keeping: ranges.x, isFlipped: flipsX)
    scatter = settings.kind == .sparse && drawn != nil
      ? SparseFlowTransform(scale: scale, height: rowCount, width: columnCount, flipsX: flipsX, flipsY: flipsY,
                    rows: ranges.y, columns: ranges.x) : nil
    factor = SIMD2(Float(flipsX ? -scale.x : scale.x), Float(flipsY ? -scale.y : scale.y))
  }

  package func callAsFunction(_ image: Image) -> Image { image.sampled(rows: rows, columns: columns) }

  package func callAsFunction(_ flow: FlowField) -> FlowField {
    scatter?(flow) ?? flow.sampled(rows: rows, columns: columns, times: factor)
  }

  /// The factors of the two axes: `2^U(minimum, maximum)`, each times `2^U(-stretch, stretch)`, and at least the bound that leaves the crop
  /// and its margin; nil without a resize, unless the image is smaller than the crop: then the bound.
  package static func scale(_ settings: FlowAugmentation, height: Int, width: Int, random: inout Random) -> SIMD2<Double>? {
    let bound = max(Double(settings.cropHeight + settings.cropMargin) / Double(height),
                    Double(settings.cropWidth + settings.cropMargin) / Double(width))
    guard settings.spatial, random.chance(settings.resizeProbability) else {
      return height < settings.cropHeight || width < settings.cropWidth ? SIMD2(repeating: bound) : nil
    }
    var scale = SIMD2(repeating: Foundation.exp2(random.uniform(settings.minimumScale, settings.maximumScale)))
    if random.chance(settings.stretchProbability) {
      scale.x *= Foundation.exp2(random.uniform(-settings.maximumStretch, settings.maximumStretch))
      scale.y *= Foundation.exp2(random.uniform(-settings.maximumStretch, settings.maximumStretch))
    }
    return SIMD2(max(scale.x, bound), max(scale.y, bound))
  }

  /// The start of the crop on an axis with `slack` positions more than the crop has: `U{-ahead, ..., slack + beyond - 1}`, moved inside. So
  /// the last possible offset is never drawn without an overhang, as in the published code.
  private static func offset(_ settings: FlowAugmentation, slack: Int, ahead: Int, beyond: Int, random: inout Random) -> Int {
    require(slack >= 0, "SpatialTransform: the crop has \(-slack) positions more than the image")
    if settings.crop == .center { return slack / 2 }
    return min(max(random.integer(in: -ahead..<max(1 - ahead, slack + beyond)), 0), slack)
  }
}
