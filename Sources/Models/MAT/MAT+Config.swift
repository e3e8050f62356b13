import Base

/// The mask-aware transformer: see `MATGenerator`.
public enum MAT {
  /// Sizes of both networks, and the variants of the paper's ablations (table 1).
  ///
  /// | paper | config |
  /// |---|---|
  /// | A, the full network | the defaults |
  /// | B, convolutions in place of transformer blocks | `body: convolution` |
  /// | C, the original block with layer norm and residual | `block: original` |
  /// | D, attention over all tokens | `attention: all_tokens` |
  /// | E, no style from noise | `noise_style: false` |
  /// | F, a body of low resolution only | `body_resolution: 32` |
  ///
  /// The body starts at `body_resolution`, for which 0 stands for 64 or, at 64 pixels, 32, and works at 1, ½, ¼, ½ and 1 of it.
  /// Convolutions of stride 2 lead there, as many lead back. At 512 pixels three of them, at 256 two, at 128 one (64 → 16 → 64 in the
  /// body), at 64 one (32 → 8 → 32). A window is at most as large as its grid. The U-Net of the second stage goes down to 16x16 always.
  public struct Config: Codable, Sendable, Equatable, ValidatedConfig {
    /// Height and width of images, in pixels: a power of two, 64 or more.
    public var resolution = 512
    /// The U-Net and the discriminator have `min(channel_max, channel_base / r)` channels at r x r pixels: 64 at 512, 128 at 256, 256 at
    /// 128, 512 below.
    public var channelBase = 32_768
    public var channelMax = 512
    /// Numbers of the latent vector z, and of the style vector w.
    public var zDim = 512
    public var wDim = 512
    public var mappingLayers = 8
    /// Channels of the first stage.
    public var width = 180
    public var heads = 6
    /// Hidden units of a block's perceptron, in widths.
    public var mlpRatio = 2
    /// Blocks, and lengths of windows in tokens, of the five stages of the body.
    public var depths = [2, 3, 4, 3, 2]
    public var windows = [8, 16, 16, 16, 8]
    /// Height and width of the body's first token grid; 0: 64, or half of the resolution where that is less.
    public var bodyResolution = 0
    public var body = Body.transformer
    public var block = Block.adjusted
    public var attention = AttendedTokens.validTokens
    /// Whether the noise vector z shapes the picture, besides the picture's own style.
    public var noiseStyle = true
    /// Samples that the discriminator's minibatch deviation compares; the batch, or a divisor of it.
    public var minibatchGroup = 8

    public init(resolution: Int = 512) { self.resolution = resolution }

    /// A small network with all parts, for tests and for machines without much time.
    public static func narrow(resolution: Int = 64, width: Int = 12) -> Config {
      var config = Config(resolution: resolution)
      (config.channelBase, config.channelMax) = (16 * resolution, 32)
      (config.zDim, config.wDim, config.mappingLayers) = (16, 16, 4)
      (config.width, config.heads, config.windows) = (width, 3, [4, 8, 8, 8, 4])
      return config
    }
  }

  /// What a block of the body is.
  public enum Body: String, ConfigChoice {
    case transformer
    /// A 3x3 mask-aware convolution, which has about as many parameters as a transformer block.
    case convolution
  }

  /// How a transformer block is put together.
  public enum Block: String, ConfigChoice {
    /// Attention is concatenated with its input and fused by a layer; no normalisation, no residual.
    case adjusted
    /// Layer norm before attention and perceptron, residuals around them.
    case original
  }

  /// The tokens that attention looks at.
  public enum AttendedTokens: String, ConfigChoice {
    /// Those that know something of the picture.
    case validTokens
    case allTokens
  }
}

extension MAT.Config {
  public func problems() -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    problems.require(resolution >= 64 && resolution.isPowerOfTwo, "resolution", resolution, "a power of two, 64 or more")
    problems.require(channelBase >= resolution, "channel_base", channelBase, "the resolution or more")
    problems.require(channelMax > 1, "channel_max", channelMax, "2 or more")
    problems.require(zDim > 0, "z_dim", zDim, "1 or more")
    problems.require(wDim > 0, "w_dim", wDim, "1 or more")
    problems.require(mappingLayers > 0, "mapping_layers", mappingLayers, "1 or more")
    problems.require(heads > 0, "heads", heads, "1 or more")
    problems.require(width > 0 && heads > 0 && width % heads == 0, "width", width, "a multiple of heads (\(heads))")
    problems.require(mlpRatio > 0, "mlp_ratio", mlpRatio, "1 or more")
    problems.require(minibatchGroup > 0, "minibatch_group", minibatchGroup, "1 or more")
    problems.require(depths.count == 5 && depths.allSatisfy { $0 > 0 }, "depths", depths, "five numbers of blocks, 1 or more each")
    let grid = body(at: 0)
    problems.require(bodyResolution == 0 || (grid >= 16 && grid.isPowerOfTwo && grid <= resolution / 2), "body_resolution", bodyResolution,
                     "0, or a power of two from 16 to half of the resolution")
    let fits = windows.count == 5 && windows.indices.allSatisfy { windows[$0] > 1 && body(at: $0) % min(windows[$0], body(at: $0)) == 0 }
    problems.require(fits, "windows", windows, "five lengths that divide the grids \((0..<5).map(body(at:))), or exceed them")
    return problems
  }

  /// Height and width of the token grid of one stage of the body.
  public func body(at stage: Int) -> Int {
    let first = bodyResolution > 0 ? bodyResolution : min(64, resolution / 2)
    return first >> [0, 1, 2, 1, 0][stage]
  }

  /// Convolutions that lead from the resolution to the body, or back.
  var stepsToBody: Int { (resolution / body(at: 0)).exponent }

  /// Style vectors of a picture: two for each resolution of the decoder; neighbouring resolutions share one.
  public var styleCount: Int { 2 * resolution.exponent - 6 }

  /// Channels of the U-Net and the discriminator at `resolution`² pixels.
  public func channels(at resolution: Int) -> Int { min(channelMax, channelBase / resolution) }

  /// Height and width of the U-Net's coarsest map at its native resolution.
  static let coarsest = 16
}

extension Int {
  var isPowerOfTwo: Bool { self > 0 && nonzeroBitCount == 1 }

  /// The logarithm to the base 2, rounded down.
  var exponent: Int { self > 0 ? bitWidth - 1 - leadingZeroBitCount : 0 }
}
