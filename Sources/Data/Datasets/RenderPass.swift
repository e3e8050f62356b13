import Base

/// The render pass of a data set's frames.
public enum RenderPass: String, ConfigChoice {
  /// Without blur and atmosphere.
  case clean
  /// With motion blur, defocus and atmosphere.
  case final
  /// All clean frames, then all final ones.
  case both

  /// The passes one by one.
  var each: [RenderPass] { self == .both ? [.clean, .final] : [self] }
}
