import Data
import Vision

/// A few small pictures with masks, and a tiny MAT that learns them.
extension Workplace {
  /// Two colours with a straight border between them.
  static func halves(_ index: Int, height: Int = 64, width: Int = 64) -> Image {
    var image = Workplace.picture(height: height, width: width, shift: 3 * index)
    let colors = [RGB(200, 60, 40), RGB(40, 90, 200)]
    let border = width / 4 + (7 * index) % (width / 2)
    for pixel in 0..<height * width {
      image[rgb: pixel] = image[rgb: pixel].mixed(with: colors[pixel % width < border ? 0 : 1], share: 0.8)
    }
    return image
  }

  /// A mask whose hole is a rectangle in the middle.
  static func window(height: Int = 64, width: Int = 64) -> InpaintingMask {
    var mask = InpaintingMask(height: height, width: width, isKnown: true)
    for y in height / 4..<3 * height / 4 {
      for x in width / 4..<3 * width / 4 { mask.known[y * width + x] = 0 }
    }
    return mask
  }

  /// Writes `mat.yaml` and the data: six pictures to learn from, three with masks to judge by.
  /// - Parameters:
  ///   - plan: of the section `plan`.
  ///   - loss: of the section `loss`.
  func prepareInpainting(plan: String, loss: String = "r1_interval: 4", more: String = "") throws {
    for index in 0..<6 { try write("train/\(index % 2)/\(index).png", PNG.encode(Workplace.halves(index, width: index == 5 ? 80 : 64))) }
    for index in 20..<23 {
      try write("val/\(index).png", PNG.encode(Workplace.halves(index)))
      try write("masks/\(index).png", PNG.encode(Workplace.window().image))
    }
    try write("mat.yaml", """
      task: inpainting
      model:
        {resolution: 64, channel_base: 256, channel_max: 8, z_dim: 8, w_dim: 8, mapping_layers: 2, width: 8, heads: 2, depths: [1, 2, 1, 1, 1],
         windows: [4, 4, 4, 4, 4], minibatch_group: 2}
      data: {images: train, masks: {free_form: {stroke_width: [2, 6]}}}
      validation: {images: val, masks: {kind: folder, folder: masks}}
      train: {batch_size: 2, workers: 1}
      loss: {perceptual: 0, pixel: 1, \(loss)}
      average: {half_life_kimg: 0.01}
      inference: {batch_size: 2}
      plan: {\(plan), threads: 1}
      \(more)
      """)
  }
}
