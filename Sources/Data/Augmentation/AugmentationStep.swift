/// A step on the way of a training sample through its random changes.
public struct AugmentationStep: Sendable, Equatable {
  /// In a word or two, such as `flip`.
  public let name: String
  /// What was drawn, in words, such as `left and right`; empty if there is nothing to say.
  public let detail: String
  /// Whether the sample was changed; false: the draw left it as it was.
  public let isTaken: Bool

  public init(_ name: String, _ detail: String = "", isTaken: Bool = true) {
    (self.name, self.detail, self.isTaken) = (name, detail, isTaken)
  }

  /// Before any change.
  public static let asRead = AugmentationStep("as read")
}

/// Is told every step of an augmentation that the settings allow, in order, with the sample behind it.
///
/// Training passes none. A sample is made only if it is asked for: steps that training does at once, such as a resize and a crop, exist
/// one by one for the observer alone; it asks before it returns, or not at all. Observing draws no random numbers.
public typealias AugmentationObserver<Sample> = (_ step: AugmentationStep, _ sample: @escaping () -> Sample) -> Void
