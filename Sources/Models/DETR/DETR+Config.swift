import Base
import Networks

extension DETR {
  /// The network as published, and the variants of the paper's ablations (tables 2 to 4).
  public struct Config: Codable, Sendable, Equatable {
    public var backbone = BackboneConfig(.resnet50)
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

    public init(_ backbone: BackboneVariant = .resnet50) { self.backbone = BackboneConfig(backbone) }

    var usesLearnedPositions: Bool { encoderPositions == .learned || decoderPositions == .learned }
  }

  /// The network that makes features of an image.
  public struct BackboneConfig: Codable, Sendable, Equatable {
    public var variant = BackboneVariant.resnet50
    /// Residual networks: channels of the stem and of the first stage's 3x3 convolutions, 64 as published. HRNet: channels of the highest
    /// resolution. 0: the variant's.
    public var width = 0
    /// Residual networks: blocks of the four stages; none: the variant's.
    public var stages: [Int] = []
    /// Residual networks: whether the last stage keeps the resolution and spreads its kernels instead (DC5).
    public var dilation = false
    public var norm = ResNet.BackboneNorm.frozen

    public init(_ variant: BackboneVariant = .resnet50) { self.variant = variant }
  }

  /// The published backbones.
  public enum BackboneVariant: String, ConfigChoice {
    case resnet18, resnet34, resnet50, resnet101
    /// HRNet with the pyramid V2p, of which the transformer reads the map at 1/32 of the resolution; with masks, all four.
    case hrnetW18, hrnetW32, hrnetW40, hrnetW48

    var architecture: BackboneArchitecture {
      switch self {
      case .resnet18: .residual(.resnet18)
      case .resnet34: .residual(.resnet34)
      case .resnet50: .residual(.resnet50)
      case .resnet101: .residual(.resnet101)
      case .hrnetW18: .highResolution(.w18)
      case .hrnetW32: .highResolution(.w32)
      case .hrnetW40: .highResolution(.w40)
      case .hrnetW48: .highResolution(.w48)
      }
    }

    /// Whether it is a residual network, to which stages and dilation belong.
    public var isResidual: Bool {
      if case .residual = architecture { true } else { false }
    }
  }

  enum BackboneArchitecture {
    case residual(ResNet.Variant)
    case highResolution(HRNet.Variant)
  }

  /// Where positions and queries enter the transformer.
  public enum PositionPlacement: String, ConfigChoice {
    /// Added to queries and keys in every attention.
    case attention
    /// Added once to the input of the encoder and of the decoder.
    case input
  }
}
