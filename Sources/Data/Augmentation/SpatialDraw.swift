import Base
import Vision

/// What is drawn for a resize, flip and crop: see `SpatialTransform`.
package struct SpatialDraw: Sendable {
  /// Of the images.
  let height: Int
  let width: Int
  let isSparse: Bool
  /// The factors of the two axes; nil without a resize.
  package let scale: SIMD2<Double>?
  package private(set) var flipsX: Bool
  package private(set) var flipsY: Bool
  /// The part of the resized and flipped images that is kept.
  package private(set) var rows: Range<Int>
  package private(set) var columns: Range<Int>

  /// Draws for images of `height` by `width`.
  package init(_ settings: FlowAugmentation, height: Int, width: Int, random: inout Random) {
    (self.height, self.width, isSparse) = (height, width, settings.kind == .sparse)
    scale = SpatialTransform.scale(settings, height: height, width: width, random: &random)
    flipsX = settings.spatial && random.chance(settings.horizontalFlipProbability)
    flipsY = settings.spatial && random.chance(settings.verticalFlipProbability)
    let factor = scale ?? SIMD2(1, 1)
    let rowCount = ResamplingAxis.count(resizing: height, by: factor.y)
    let columnCount = ResamplingAxis.count(resizing: width, by: factor.x)
    let top = Self.offset(settings, slack: rowCount - settings.cropHeight, ahead: 0, beyond: settings.overhangRows, random: &random)
    let left = Self.offset(
      settings, slack: columnCount - settings.cropWidth, ahead: settings.overhangColumns, beyond: settings.overhangColumns, random: &random)
    rows = top..<top + settings.cropHeight
    columns = left..<left + settings.cropWidth
  }

  var factor: SIMD2<Double> { scale ?? SIMD2(1, 1) }

  /// The size behind the resize.
  var resized: (height: Int, width: Int) {
    (ResamplingAxis.count(resizing: height, by: factor.y), ResamplingAxis.count(resizing: width, by: factor.x))
  }

  /// The steps before the crop, each with the transform from the beginning to there.
  /// - Parameter isSpatial: whether the settings ask for more than a crop.
  func steps(isSpatial: Bool) -> [(step: AugmentationStep, transform: () -> SpatialTransform)] {
    var steps: [(step: AugmentationStep, transform: () -> SpatialTransform)] = []
    if isSpatial || scale != nil {
      let factors = scale.map { "columns by \(Self.text($0.x)), rows by \(Self.text($0.y))" } ?? ""
      let step = AugmentationStep("resize", factors, isTaken: scale != nil)
      steps.append((step, { SpatialTransform(whole(flipsX: false, flipsY: false)) }))
    }
    if isSpatial {
      let sides = [flipsX ? "left and right" : "", flipsY ? "top and bottom" : ""].filter { !$0.isEmpty }
      let step = AugmentationStep("flip", sides.joined(separator: ", "), isTaken: !sides.isEmpty)
      steps.append((step, { SpatialTransform(whole(flipsX: flipsX, flipsY: flipsY)) }))
    }
    return steps
  }

  /// The same without the crop.
  private func whole(flipsX: Bool, flipsY: Bool) -> SpatialDraw {
    var draw = self
    (draw.flipsX, draw.flipsY, draw.rows, draw.columns) = (flipsX, flipsY, 0..<resized.height, 0..<resized.width)
    return draw
  }

  /// Two decimals.
  private static func text(_ factor: Double) -> String {
    let hundredths = Int((factor * 100).rounded())
    return "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)"
  }

  /// The start of the crop on an axis with `slack` positions more than the crop has: `U{-ahead, ..., slack + beyond - 1}`, moved inside. So
  /// the last possible offset is never drawn without an overhang, as in the published code.
  private static func offset(_ settings: FlowAugmentation, slack: Int, ahead: Int, beyond: Int, random: inout Random) -> Int {
    require(slack >= 0, "SpatialTransform: the crop has \(-slack) positions more than the image")
    if settings.crop == .center { return slack / 2 }
    return min(max(random.integer(in: -ahead..<max(1 - ahead, slack + beyond)), 0), slack)
  }
}
