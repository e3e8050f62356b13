import Base
import Foundation
import Networks
import Tensors

/// Where a cell of the feature map lies, as a vector that attention adds to queries and keys. - Source: DETR, section 3.2 and appendix A.4.
public enum PositionEncoding: String, ConfigChoice {
  case none
  /// Sines and cosines of the share of the image above and to the left of the cell, each image by its own extent.
  case sine
  /// A learned vector for each row and each column, of 50 at most.
  case learned
}

/// The sine encoding of both coordinates.
enum SinePositions {
  /// The base of the wave lengths, from 2π to 10000 · 2π.
  private static let temperature = 10_000.0

  /// - Returns: `[n, height · width, channels]`: the first half of the channels for y, the second for x; sines and cosines in turn.
  static func make(_ mask: FeatureMask, channels: Int, _ precision: Precision) -> Tensor {
    let half = channels / 2
    let frequencies = (0..<half).map { pow(temperature, -Double($0 / 2 * 2) / Double(half)) }
    var values = [Double](repeating: 0, count: mask.valid.count * mask.height * mask.width * channels)
    for (image, size) in mask.valid.enumerated() {
      let rows = table(mask.height, valid: size.height, frequencies)
      let columns = table(mask.width, valid: size.width, frequencies)
      // Beyond the image nothing lies above or to the left of a cell in its own column or row.
      let none = wave(0, frequencies)
      for y in 0..<mask.height {
        for x in 0..<mask.width {
          let start = ((image * mask.height + y) * mask.width + x) * channels
          values.replaceSubrange(start..<start + half, with: x < size.width ? rows[y] : none)
          values.replaceSubrange(start + half..<start + 2 * half, with: y < size.height ? columns[x] : none)
        }
      }
    }
    return Tensor(values, shape: [mask.valid.count, mask.height * mask.width, channels], precision: precision)
  }

  /// The waves of each index along one axis: the count of valid cells up to it, as a share of all, times 2π.
  private static func table(_ length: Int, valid: Int, _ frequencies: [Double]) -> [[Double]] {
    (0..<length).map { index in
      let covered = Double(min(index + 1, valid))
      return wave(2 * .pi * covered / (Double(valid) + 1e-6), frequencies)
    }
  }

  private static func wave(_ angle: Double, _ frequencies: [Double]) -> [Double] {
    frequencies.enumerated().map { $0 % 2 == 0 ? sin(angle * $1) : cos(angle * $1) }
  }
}

/// The learned encoding of both coordinates. - Names: `row_embed.weight`, `col_embed.weight`, `[50, channels / 2]`.
struct LearnedPositions: Module {
  static let most = 50
  let rowEmbed, colEmbed: Embedding

  init(channels: Int, _ random: inout Random) {
    func table(_ random: inout Random) -> Embedding {
      Embedding(weight: Parameter(.uniform([Self.most, channels / 2], from: 0, to: 1, &random)))
    }
    rowEmbed = table(&random)
    colEmbed = table(&random)
  }

  /// - Returns: `[n, height · width, channels]`: the first half of the channels for x, the second for y.
  func callAsFunction(_ mask: FeatureMask) -> Tensor {
    let (h, w) = (mask.height, mask.width)
    require(h <= Self.most && w <= Self.most,
      "DETR: learned positions are for \(Self.most) rows and columns of features at most, not \(h)x\(w)")
    let columns = colEmbed(Array(0..<w)).reshaped(to: [1, w, rowEmbed.weight.shape[1]])
    let rows = rowEmbed(Array(0..<h)).reshaped(to: [h, 1, rowEmbed.weight.shape[1]])
    let half = rowEmbed.weight.shape[1]
    let both = concatenate([columns.broadcast(to: [h, w, half]), rows.broadcast(to: [h, w, half])], axis: 2)
    return both.reshaped(to: [1, h * w, 2 * half]).broadcast(to: [mask.valid.count, h * w, 2 * half])
  }
}
