import Base
import Data
import Models
import Tensors
import Vision

/// One image with its objects as the network takes them, made by the loader's threads.
struct DetectionElement: Sendable {
  let height: Int
  let width: Int
  /// Row-major, RGB, normalised.
  let pixels: [Float]
  let target: DetectionTarget

  init(_ sample: DetectionSample) {
    let image = sample.image
    height = image.height
    width = image.width
    pixels = PixelNormalization()(image)
    let (w, h) = (Double(width), Double(height))
    target = DetectionTarget(
      labels: sample.objects.map(\.label),
      boxes: sample.objects.map { object in
        let box = object.box
        return [(box.x + box.x1) / 2 / w, (box.y + box.y1) / 2 / h, box.width / w, box.height / h]
      },
      masks: sample.objects.contains { $0.mask.isEmpty } ? [] : sample.objects.map(\.mask))
  }
}

/// Images with their objects as tensors: each in the upper left corner of a canvas that fits all.
struct DetectionBatch {
  let images: PaddedImages
  let targets: [DetectionTarget]

  init(_ elements: [DetectionElement]) {
    let height = elements.map(\.height).max() ?? 1
    let width = elements.map(\.width).max() ?? 1
    var pixels = [Float](repeating: 0, count: elements.count * height * width * 3)
    for (i, element) in elements.enumerated() {
      for y in 0..<element.height {
        let start = ((i * height + y) * width) * 3
        let row = element.pixels[y * element.width * 3..<(y + 1) * element.width * 3]
        pixels.replaceSubrange(start..<start + row.count, with: row)
      }
    }
    images = PaddedImages(
      pixels: Tensor(pixels, shape: [elements.count, height, width, 3]),
      sizes: elements.map { Extent(height: $0.height, width: $0.width) })
    targets = elements.map(\.target)
  }
}
