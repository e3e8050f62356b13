import Base
import Data
import Foundation
import Models
import Tensors
import Vision

/// Asks a network for the class of every pixel of pictures: whole or in parts, at several scales, mirrored.
///
/// Seen once and whole, a pixel gets the class of its largest logit, interpolated to the picture's size. Seen several times, the
/// exponentials of the logits are added up: mirrored logits are averaged with the others before, parts of a picture by how often they
/// cover a pixel, and scales are interpolated to the picture's size.
/// - Source: the rule of HRNet's segmentation repository.
struct Segmenter {
  private let model: HRNetSegmentation
  private let config: SegmentationConfig
  private let settings: SegmentationInferenceSettings
  /// Asked before the network sees an input of another size.
  private let require: (InputShape) throws -> Void

  init(_ model: HRNetSegmentation, _ config: SegmentationConfig, _ memory: MemoryGuard) {
    self.model = model
    self.config = config
    settings = config.inference
    require = { try memory.require($0) }
  }

  /// The classes of RGB pictures, in their own sizes.
  func callAsFunction(_ images: [Image]) throws -> [LabelMap] {
    guard settings.mode == .whole, images.count > 1, Set(images.map { [$0.height, $0.width] }).count == 1 else {
      return try images.map { try labels(scores(of: [$0]), 0) }
    }
    let sums = try scores(of: images)
    return images.indices.map { labels(sums, $0) }
  }

  private func labels(_ scores: Tensor, _ index: Int) -> LabelMap {
    let (_, height, width, _) = scores.shape4
    let classes = scores.sliced(0, index..<index + 1).argmax()
    return LabelMap(height: height, width: width, values: classes.map { UInt16($0) })
  }

  /// The sums that the largest decides by, `[n, h, w, classes]`, for pictures of one size.
  private func scores(of images: [Image]) throws -> Tensor {
    let target = Extent(height: images[0].height, width: images[0].width)
    let isSummed = settings.mode == .sliding || settings.scales.count > 1
    var sum: Tensor?
    for scale in settings.scales {
      let crop = crop
      let least = settings.mode == .sliding ? (crop.height, crop.width) : (1, 1)
      let views = images.map { config.augmentation.evaluated($0, factor: scale, least: least) }
      let batch = SegmentationBatch(views.map(\.input))
      var seen = settings.mode == .sliding ? try inParts(batch, crop) : try logits(batch.images)
      if isSummed, settings.mode == .whole { seen = seen.exp() }
      seen = seen.sliced(1, 0..<views[0].height).sliced(2, 0..<views[0].width)
      if seen.shape[1] != target.height || seen.shape[2] != target.width {
        seen = noGradient { seen.resized(to: target, alignCorners: config.model.alignCorners) }
      }
      sum = sum.map { $0 + seen } ?? seen
    }
    return sum ?? .zeros([images.count, target.height, target.width, config.model.classes])
  }

  private var crop: Extent {
    Extent(height: settings.cropHeight > 0 ? settings.cropHeight : config.augmentation.cropHeight,
           width: settings.cropWidth > 0 ? settings.cropWidth : config.augmentation.cropWidth)
  }

  /// Logits in the size of the images, averaged with those of the mirrored ones if these are asked for.
  private func logits(_ images: Tensor) throws -> Tensor {
    let (n, height, width, _) = images.shape4
    try require(InputShape(samples: n, height: height, width: width))
    return noGradient {
      func ask(_ images: Tensor) -> Tensor {
        let logits = model(images, .evaluation).logits
        return logits.shape[1] == height && logits.shape[2] == width ? logits
          : logits.resized(to: Extent(height: height, width: width), alignCorners: config.model.alignCorners)
      }
      let plain = ask(images)
      guard settings.flip else { return plain }
      var flipped = ask(images.reversed(2)).reversed(2)
      if !config.augmentation.flipPairs.isEmpty { flipped = flipped.gathered(3, partners) }
      return (plain + flipped) * 0.5
    }
  }

  /// For each class the one that a mirrored picture shows instead.
  private var partners: [Int] {
    var partners = Array(0..<config.model.classes)
    for pair in config.augmentation.flipPairs { (partners[pair[0]], partners[pair[1]]) = (pair[1], pair[0]) }
    return partners
  }

  /// Mean exponentials of the logits of the parts that cover a pixel. Parts at the lower and right border are moved inwards.
  private func inParts(_ batch: SegmentationBatch, _ crop: Extent) throws -> Tensor {
    let rows = starts(batch.size.height, crop.height)
    let columns = starts(batch.size.width, crop.width)
    let places = rows.flatMap { row in columns.map { (row: row, column: $0) } }
    let classes = config.model.classes
    let shape = [1, batch.size.height, batch.size.width, classes]
    var sums = [Float](repeating: 0, count: shape.reduce(1, *))
    for start in Swift.stride(from: 0, to: places.count, by: settings.batchSize) {
      let chosen = Array(places[start..<min(start + settings.batchSize, places.count)])
      let parts = concatenate(chosen.map { place in
        batch.images.sliced(1, place.row..<place.row + crop.height).sliced(2, place.column..<place.column + crop.width)
      }, axis: 0)
      let values = try logits(parts).exp().floats
      for (index, place) in chosen.enumerated() {
        for y in 0..<crop.height {
          let source = ((index * crop.height + y) * crop.width) * classes
          let target = ((place.row + y) * batch.size.width + place.column) * classes
          for i in 0..<crop.width * classes { sums[target + i] += values[source + i] }
        }
      }
    }
    let counts = (covers(rows, crop.height, batch.size.height), covers(columns, crop.width, batch.size.width))
    for y in 0..<batch.size.height {
      for x in 0..<batch.size.width {
        let share = 1 / Float(counts.0[y] * counts.1[x])
        let start = (y * batch.size.width + x) * classes
        for i in start..<start + classes { sums[i] *= share }
      }
    }
    return Tensor(sums, shape: shape)
  }

  /// Where parts begin along a side of at least their length: `⌈(length - crop) / step⌉ + 1` of them.
  private func starts(_ length: Int, _ crop: Int) -> [Int] {
    let step = max(1, Int(Double(crop) * settings.stride))
    let count = (length - crop + step - 1) / step + 1
    return (0..<count).map { min($0 * step, length - crop) }
  }

  /// How many parts cover each position.
  private func covers(_ starts: [Int], _ crop: Int, _ length: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: length)
    for start in starts { for position in start..<start + crop { counts[position] += 1 } }
    return counts
  }
}
