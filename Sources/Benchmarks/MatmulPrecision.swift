/// How exactly products of float32 numbers are computed; the names are PyTorch's.
public enum MatmulPrecision: String, Codable, Sendable, CaseIterable {
  /// Float32 accuracy.
  case highest
  /// Three products of numbers split into bfloat16 parts, or float32 where that is not faster.
  case high
  /// Operands rounded to bfloat16, sums in float32.
  case medium

  /// Makes all products of this process use this precision, and returns what is in force then.
  ///
  /// The one place where a benchmark sets the precision of our side. Our products have float32 accuracy only, so far: reports say so.
  func apply() -> MatmulPrecision { .highest }
}
