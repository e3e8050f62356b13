import Base
import Networks
import Tensors

/// Where the tokens of a block look, each within its window; for pictures.
public struct WindowAttention: Sendable {
  /// Height and width of the token grid.
  public let height, width: Int
  /// Tokens along one side of a window, and rows and columns that the windows are shifted by.
  public let window, shift: Int
  /// The mean over the heads: `[windows, tokens, tokens]`, windows and tokens row by row.
  let weights: Tensor

  /// The weights of the tokens in the window of one token, row by row; they add up to 1.
  public func weights(ofRow row: Int, column: Int) -> [Float] {
    let (y, x) = ((row - shift + height) % height, (column - shift + width) % width)
    let index = y / window * (width / window) + x / window
    let token = y % window * window + x % window
    return weights.sliced(0, index..<index + 1).sliced(1, token..<token + 1).floats
  }
}

extension MATGenerator {
  /// The attention of a block, computed again from what it was given.
  /// - Parameters:
  ///   - tokens: `[1, h, w, c]` as an observer saw them: of block 1, what block 0 gave.
  ///   - mask: `[1, h, w, 1]`; nil: all tokens are valid.
  /// - Returns: nil if the stage has no such block, or one of convolutions.
  public func attention(stage: Int, block: Int, of tokens: Tensor, mask: Tensor?) -> WindowAttention? {
    let blocks = synthesis.firstStage.tran[stage].blocks
    guard blocks.indices.contains(block), case .transformer(let transformer) = blocks[block] else { return nil }
    let (weights, layout) = noGradient { transformer.attention(tokens, mask: mask) }
    return WindowAttention(height: layout.height, width: layout.width, window: layout.length, shift: layout.shift, weights: weights)
  }
}
