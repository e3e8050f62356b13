import Base
import Networks

extension DETR {
  /// The network as published, and the variants of the paper's ablations (tables 2 to 4).
  public struct Config: Codable, Sendable, Equatable {
    public var backbone = ResNet.Config(.resnet50)
    /// Channels of the transformer.
    public var hidden = 256
    public var heads = 8
    /// Hidden channels of the feed-forward parts; 0: none of them.
    public var feedForward = 2048
    public var encoderLayers = 6
    public var decoderLayers = 6
    public var dropout = 0.1
    /// Normalise the input of each part of a layer rather than its output.
    public var preNorm = false
    /// Object slots: most objects that are found in an image.
    public var queries = 100
    /// Object classes: the largest category id of the data plus one in published weights (91 for COCO). The class after the last one
    /// means no object.
    public var classes = 91
    /// The positions of cells in the encoder's attention, and in the decoder's.
    public var encoderPositions = PositionEncoding.sine
    public var decoderPositions = PositionEncoding.sine
    /// Where positions and queries enter.
    public var positionsAt = PositionPlacement.attention
    /// Whether the heads for masks are part of the network.
    public var masks = false

    public init(_ backbone: ResNet.Variant = .resnet50) { self.backbone = ResNet.Config(backbone) }

    var usesLearnedPositions: Bool { encoderPositions == .learned || decoderPositions == .learned }
  }

  /// Where positions and queries enter the transformer.
  public enum PositionPlacement: String, ConfigChoice {
    /// Added to queries and keys in every attention.
    case attention
    /// Added once to the input of the encoder and of the decoder.
    case input
  }
}
