import Base

extension FlowAugmentation: ConfigPreset {
  /// The preset that is named; a kind on its own brings the settings of a stage of this kind.
  public static func defaults(for section: ConfigSection) -> FlowAugmentation {
    let preset = section.text("preset").flatMap(Preset.named) ?? .chairs
    if !section.isWritten("preset"), section.isWritten("kind"), let kind = section.text("kind").flatMap(Kind.named), kind != preset.kind {
      return FlowAugmentation(kind == .sparse ? .kitti : .chairs)
    }
    return FlowAugmentation(preset)
  }

  /// The settings of the published training, by stage and, in the stage of Sintel, by data set.
  ///
  /// | preset | kind | crop | log2 scale | stretch | flips | colours |
  /// |---|---|---|---|---|---|---|
  /// | chairs | dense | 368 x 496 | -0.1 to 1.0 | 0.2 | both ways | 0.4, hue 0.159, one of five pairs each image its own |
  /// | things | dense | 400 x 720 | -0.4 to 0.8 | 0.2 | both ways | as chairs |
  /// | sintel (also for Things in its mixture) | dense | 368 x 768 | -0.2 to 0.6 | 0.2 | both ways | as chairs |
  /// | sintel_kitti | sparse | 368 x 768 | -0.3 to 0.5 | none | horizontal | 0.3, hue 0.096, both images alike |
  /// | sintel_hd1k | sparse | 368 x 768 | -0.5 to 0.2 | none | horizontal | as sintel_kitti |
  /// | kitti | sparse | 288 x 960 | -0.2 to 0.4 | none | none | as sintel_kitti |
  ///
  /// - Source: Teed and Deng, "RAFT", ECCV 2020: the published training code.
  public enum Preset: String, ConfigChoice {
    case chairs, things, sintel, sintelKitti, sintelHd1k, kitti

    public var kind: Kind {
      switch self {
      case .chairs, .things, .sintel: .dense
      case .sintelKitti, .sintelHd1k, .kitti: .sparse
      }
    }
  }

  public init(_ preset: Preset) {
    switch preset {
    case .chairs: self.init()
    case .things: self.init(dense: (400, 720), scale: (-0.4, 0.8))
    case .sintel: self.init(dense: (368, 768), scale: (-0.2, 0.6))
    case .sintelKitti: self.init(sparse: (368, 768), scale: (-0.3, 0.5), flips: true)
    case .sintelHd1k: self.init(sparse: (368, 768), scale: (-0.5, 0.2), flips: true)
    case .kitti: self.init(sparse: (288, 960), scale: (-0.2, 0.4), flips: false)
    }
    self.preset = preset
  }

  private init(dense crop: (height: Int, width: Int), scale: (minimum: Double, maximum: Double)) {
    self.init()
    (cropHeight, cropWidth) = crop
    (minimumScale, maximumScale) = scale
  }

  private init(sparse crop: (height: Int, width: Int), scale: (minimum: Double, maximum: Double), flips: Bool) {
    self.init(dense: crop, scale: scale)
    kind = .sparse
    (brightness, contrast, saturation, hue) = (0.3, 0.3, 0.3, 0.3 / 3.14)
    (asymmetricProbability, stretchProbability) = (0, 0)
    (horizontalFlipProbability, verticalFlipProbability) = (flips ? 0.5 : 0, 0)
    (cropMargin, overhangRows, overhangColumns) = (1, 20, 50)
    maximumDisplacement = .infinity  // what is known says the file alone
  }
}
