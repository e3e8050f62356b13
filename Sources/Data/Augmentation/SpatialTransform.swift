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
    self.init(SpatialDraw(settings, height: height, width: width, random: &random))
  }

  package init(_ draw: SpatialDraw) {
    rows = ResamplingAxis(resizing: draw.height, by: draw.factor.y, keeping: draw.rows, isFlipped: draw.flipsY)
    columns = ResamplingAxis(resizing: draw.width, by: draw.factor.x, keeping: draw.columns, isFlipped: draw.flipsX)
    scatter = draw.isSparse && draw.scale != nil
      ? SparseFlowTransform(scale: draw.factor, height: draw.resized.height, width: draw.resized.width, flipsX: draw.flipsX,
                            flipsY: draw.flipsY, rows: draw.rows, columns: draw.columns) : nil
    factor = SIMD2(Float(draw.flipsX ? -draw.factor.x : draw.factor.x), Float(draw.flipsY ? -draw.factor.y : draw.factor.y))
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
}
