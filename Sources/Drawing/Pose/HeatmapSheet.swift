import Base
import Vision

/// The heatmaps of a body over its crop, one panel for each keypoint, with the keypoint found and the true one.
public struct HeatmapSheet: Figure {
  /// The crop that the network sees.
  public var image: Image
  public var maps: Heatmaps
  public var skeleton: Skeleton
  /// In pixels of the crop; none: no truth.
  public var truth: [Keypoint]
  public var title: String
  /// The width of the whole in pixels.
  public var width: Int

  /// - Precondition: a map for each keypoint.
  public init(_ image: Image, _ maps: Heatmaps, _ skeleton: Skeleton, truth: [Keypoint] = [], title: String = "", width: Int = 800) {
    require(maps.count == skeleton.count && (truth.isEmpty || truth.count == skeleton.count),
            "HeatmapSheet: \(maps.count) maps and \(truth.count) points of \(skeleton.count) keypoints")
    self.image = image
    self.maps = maps
    self.skeleton = skeleton
    self.truth = truth
    self.title = title
    self.width = width
  }

  private var grid: FigureGrid {
    let columns = max(1, min(skeleton.count, 6, (width - 10) / 120))
    let own = max(60, (width - 10 * (columns + 1)) / columns)
    let peaks = maps.peaks()
    let cell = Double(image.width) / Double(max(1, maps.width))
    let panels = skeleton.names.indices.map { k in
      let percent = Int((100 * peaks[k].score).rounded())
      let panel = HeatmapPanel(
        image: image, maps: maps, keypoint: k, found: peaks[k].position * cell,
        truth: truth.isEmpty || !truth[k].isLabeled ? nil : truth[k].position, width: own)
      return FigureGrid.Cell(skeleton.names[k], note: "peak \(percent) %", panel)
    }
    var grid = FigureGrid(panels, columns: columns, title: title)
    grid.captionWidth = Double(own)
    return grid
  }

  public func size(_ typeface: Typeface) -> Size { grid.size(typeface) }

  public func draw(on canvas: Canvas) { grid.draw(on: canvas) }
}

/// One map over the dimmed crop; 1 has the last colour.
private struct HeatmapPanel: Figure {
  let image: Image
  let maps: Heatmaps
  let keypoint: Int
  /// In pixels of the image.
  let found: SIMD2<Double>
  let truth: SIMD2<Double>?
  let width: Int

  private var overlay: Image { maps.overlay(on: image.fitted(width: width), keypoint: keypoint) }

  func size(_ typeface: Typeface) -> Size {
    let picture = image.fitted(width: width)
    return Size(width: Double(picture.width), height: Double(picture.height))
  }

  func draw(on canvas: Canvas) {
    let zoom = Double(width) / Double(max(1, image.width))
    canvas.image(overlay, at: Point(0, 0))
    if let truth { canvas.circle(center: Point(truth.x, truth.y) * zoom, radius: 5, stroke: Stroke(.white, width: 1.5)) }
    canvas.circle(center: Point(found.x, found.y) * zoom, radius: 2.5, fill: .white, stroke: Stroke(.ink, width: 1))
  }
}

extension Heatmaps {
  /// The colours of a map over the picture that it belongs to; 1 has the last colour.
  /// - Parameter keypoint: the map; nil: the largest value of all maps in each place.
  public func overlay(on picture: Image, keypoint: Int? = nil) -> Image {
    let rows = ResamplingAxis(resizing: height, by: Double(picture.height) / Double(height))
    let columns = ResamplingAxis(resizing: width, by: Double(picture.width) / Double(width))
    let map = (0..<height * width).map { cell -> Float in
      let all = values[cell * count..<(cell + 1) * count]
      return keypoint.map { all[all.startIndex + $0] } ?? all.max() ?? 0
    }
    let shown = BilinearGrid(rows: rows, columns: columns, sourceWidth: width, channels: 1).values(of: map) { $0 }
    return Heatmap(shown, height: picture.height, width: picture.width, label: "", range: 0...1, over: picture.rgb()).colors
  }
}
