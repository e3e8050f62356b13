import Base
import Tensors
import Vision

/// What the network says every pixel of an image belongs to.
public struct PanopticResult: Sendable, Equatable {
  public struct Segment: Sendable, Equatable {
    /// Its number in the map, from 1.
    public let id: UInt32
    /// The class index.
    public let label: Int
    /// Pixels.
    public let area: Int
  }

  /// At the size of the original image; `PanopticMap.void` where no slot is sure enough.
  public let map: PanopticMap
  public let segments: [Segment]
}

extension DETRSegmentation {
  /// Segments of fewer pixels are dropped.
  private static let leastArea = 5

  /// The panoptic segmentation of each image.
  ///
  /// Slots that claim an object with more than the threshold compete for every pixel, the largest logit wins. Slots of one class of
  /// stuff are one segment. Small segments are dropped and their pixels given to the others, until there are none; what was merged is
  /// not merged again, as in the authors' code. Unlike that code, the padding of a batch is cut off the masks first.
  /// - Parameters:
  ///   - isThing: whether a class is of countable things.
  ///   - threshold: for the probability of a slot's class, among all classes and no object.
  /// - Source: DETR, section 4.4 and appendix A.5.
  public func panopticResults(
    _ output: DETR.Output, _ images: PaddedImages, originalSizes: [Extent], threshold: Double = 0.85, isThing: (Int) -> Bool
  ) -> [PanopticResult] {
    let (queries, classes) = (output.logits.shape[1], output.logits.shape[2])
    let probabilities = output.last.logits.detached().softmax().doubles
    return (0..<images.count).map { image in
      let slots = (0..<queries).compactMap { query -> (query: Int, label: Int)? in
        let row = probabilities[(image * queries + query) * classes..<(image * queries + query + 1) * classes]
        let best = row.indices.reduce(row.startIndex) { row[$1] > row[$0] ? $1 : $0 }
        return best - row.startIndex < classes - 1 && row[best] > threshold ? (query, best - row.startIndex) : nil
      }
      let logits = logits(of: slots.map { (image, $0.query) }, output, images)
      let competition = MaskCompetition(logits: logits, from: images.sizes[image], to: originalSizes[image])
      return competition.result(labels: slots.map(\.label), isThing: isThing, leastArea: Self.leastArea)
    }
  }

  /// The masks of one image's slots at the size of the image, row-major.
  private func logits(of slots: [(image: Int, query: Int)], _ output: DETR.Output, _ images: PaddedImages) -> [[Double]] {
    guard let first = slots.first else { return [] }
    let small = masks(of: slots, output).detached()
    let (k, h, w) = small.shape3
    let size = images.sizes[first.image]
    let full = small.reshaped(to: [k, h, w, 1]).resized(to: images.canvas).sliced(1, 0..<size.height).sliced(2, 0..<size.width)
    return full.reshaped(to: [k, size.height * size.width]).split(0, into: k).map(\.doubles)
  }
}

/// Masks that compete for the pixels of one image.
private struct MaskCompetition {
  /// For each mask the logits of all pixels.
  let logits: [[Double]]
  /// For each pixel of the original image that of the masks.
  let sources: [Int]
  let size: Extent

  init(logits: [[Double]], from source: Extent, to size: Extent) {
    self.logits = logits
    self.size = size
    let columns = Self.nearest(size.width, of: source.width)
    sources = Self.nearest(size.height, of: source.height).flatMap { y in columns.map { y * source.width + $0 } }
  }

  /// The pixels under the centres of `count` ones, added up as Pillow does.
  private static func nearest(_ count: Int, of length: Int) -> [Int] {
    let scale = Double(length) / Double(count)
    var position = scale * 0.5
    return (0..<count).map { _ in
      defer { position += scale }
      return min(Int(position), length - 1)
    }
  }

  /// The strongest of some masks at each pixel of the original image.
  private func winners(_ masks: [Int]) -> [Int] {
    sources.map { pixel in masks.dropFirst().reduce(masks[0]) { logits[$1][pixel] > logits[$0][pixel] ? $1 : $0 } }
  }

  private func areas(_ owners: [Int]) -> [Int] {
    owners.reduce(into: [Int](repeating: 0, count: logits.count)) { $0[$1] += 1 }
  }

  func result(labels: [Int], isThing: (Int) -> Bool, leastArea: Int) -> PanopticResult {
    var kept = Array(labels.indices)
    guard !kept.isEmpty else { return PanopticResult(map: map([]), segments: []) }
    // The first mask of each class of stuff takes what the others win.
    let heads = labels.indices.map { slot in isThing(labels[slot]) ? slot : labels.firstIndex(of: labels[slot]) ?? slot }
    var owners = winners(kept).map { heads[$0] }
    var areas = areas(owners)
    while kept.contains(where: { areas[$0] < leastArea }) {
      kept.removeAll { areas[$0] < leastArea }
      guard !kept.isEmpty else { return PanopticResult(map: map([]), segments: []) }
      owners = winners(kept)
      areas = self.areas(owners)
    }
    var ids = [UInt32](repeating: PanopticMap.void, count: labels.count)
    for (number, slot) in kept.enumerated() { ids[slot] = UInt32(number + 1) }
    let segments = kept.map { PanopticResult.Segment(id: ids[$0], label: labels[$0], area: areas[$0]) }
    return PanopticResult(map: map(owners.map { ids[$0] }), segments: segments)
  }

  private func map(_ ids: [UInt32]) -> PanopticMap {
    let void = [UInt32](repeating: PanopticMap.void, count: size.height * size.width)
    return PanopticMap(height: size.height, width: size.width, segments: ids.isEmpty ? void : ids)
  }
}
