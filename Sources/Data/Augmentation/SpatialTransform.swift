import Foundation
import Tensors
import Vision

/// One drawn resize, flip and crop, applied alike to both images and the flow.
///
/// A point at `p` (pixel centres at integers) goes to `s (p + ½) - ½`, then to `n - 1 - p` if flipped, then to `p - offset`. Both frames
/// move alike, so a vector is multiplied by `s` and negated by a flip, and the pair stays consistent.
package struct SpatialTransform: Sendable {
  package let rows: ResamplingAxis
  package let columns: ResamplingAxis
  /// What the vectors are multiplied by.
  package let factor: SIMD2<Float>

  /// Draws a transform for images of `height` by `width`.
  package init(_ settings: FlowAugmentation, height: Int, width: Int, random: inout Random) {
    let scale = SpatialTransform.scale(settings, height: height, width: width, random: &random)
    let flipsX = settings.spatial && random.chance(settings.horizontalFlipProbability)
    let flipsY = settings.spatial && random.chance(settings.verticalFlipProbability)
    let y = ResamplingAxis(resizing: height, by: scale.y), x = ResamplingAxis(resizing: width, by: scale.x)
    rows = SpatialTransform.crop(flipsY ? y.reversed() : y, to: settings.cropHeight, settings.crop, random: &random)
    columns = SpatialTransform.crop(flipsX ? x.reversed() : x, to: settings.cropWidth, settings.crop, random: &random)
    factor = SIMD2(Float(flipsX ? -scale.x : scale.x), Float(flipsY ? -scale.y : scale.y))
  }

  package func callAsFunction(_ image: Image) -> Image { image.sampled(rows: rows, columns: columns) }

  package func callAsFunction(_ flow: FlowField) -> FlowField { flow.sampled(rows: rows, columns: columns, times: factor) }

  /// The factors of the two axes: `2^U(minimum, maximum)`, each times `2^U(-stretch, stretch)`, and at least the bound that leaves the crop
  /// and its margin; 1 without a resize, unless the image is smaller than the crop: then the bound.
  package static func scale(_ settings: FlowAugmentation, height: Int, width: Int, random: inout Random) -> SIMD2<Double> {
    let bound = max(Double(settings.cropHeight + settings.cropMargin) / Double(height),
                    Double(settings.cropWidth + settings.cropMargin) / Double(width))
    guard settings.spatial, random.chance(settings.resizeProbability) else {
      return SIMD2(repeating: height < settings.cropHeight || width < settings.cropWidth ? bound : 1)
    }
    var scale = SIMD2(repeating: Foundation.exp2(random.uniform(settings.minimumScale, settings.maximumScale)))
    if random.chance(settings.stretchProbability) {
      scale.x *= Foundation.exp2(random.uniform(-settings.maximumStretch, settings.maximumStretch))
      scale.y *= Foundation.exp2(random.uniform(-settings.maximumStretch, settings.maximumStretch))
    }
    return SIMD2(max(scale.x, bound), max(scale.y, bound))
  }

  /// `size` positions of an axis; the last possible offset is never drawn, as in the published code.
  private static func crop(_ axis: ResamplingAxis, to size: Int, _ crop: FlowAugmentation.Crop, random: inout Random) -> ResamplingAxis {
    let slack = axis.count - size
    guard slack >= 0 else { fatalError("SpatialTransform: \(axis.count) positions cannot hold a crop of \(size)") }
    let offset = crop == .center ? slack / 2 : random.integer(in: 0..<max(1, slack))
    return axis.cropped(to: offset..<offset + size)
  }
}
