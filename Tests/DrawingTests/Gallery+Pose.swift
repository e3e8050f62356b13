import Drawing
import Foundation
import Vision

/// Figures of pose estimation.
extension Gallery {
  static func pose(width: Int) -> [Gallery] {
    let image = picture(height: 240, width: 320)
    // A person who waves, in pixels of the picture.
    let places: [(Double, Double)] = [
      (160, 52), (166, 46), (154, 46), (174, 50), (146, 50), (186, 86), (134, 86), (214, 66), (120, 122), (226, 34), (128, 154), (176, 150),
      (146, 150), (184, 190), (138, 188), (182, 228), (146, 226),
    ]
    let points = places.map { SIMD2($0.0, $0.1) }
    let body = PicturedBody(keypoints: points.enumerated().map { $0 == 4 ? nil : $1 }, score: 0.8)
    let truth = PicturedBody(keypoints: points.map { $0 + SIMD2(5, 3) })
    let (height, columns) = (60, 80)
    let values = (0..<height * columns).flatMap { cell in
      points.map { point -> Float in
        let d = point / 4 - SIMD2(Double(cell % columns), Double(cell / columns))
        return Float(exp(-(d * d).sum() / 8))
      }
    }
    let maps = Heatmaps(height: height, width: columns, count: 17, values: values)
    let keypoints = points.map { Keypoint(x: $0.x + 5, y: $0.y + 3, visibility: .visible) }
    let sheet = HeatmapSheet(image, maps, .coco, truth: keypoints, title: "000000000785", width: width)
    return [
      Gallery(name: "skeletons", figure: AnnotatedPicture(image, bodies: [body], truths: [truth], .coco, width: width), expected: [],
              mayOverlap: true),
      Gallery(name: "heatmaps", figure: sheet, expected: ["000000000785", "nose", "peak"]),
    ]
  }
}
