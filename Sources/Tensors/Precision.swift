import CKernels

/// The number format of a tensor's elements.
public enum Precision: String, Sendable, CaseIterable, Codable {
  /// Trains.
  case float32
  /// Proves gradients: the same kernels, compiled for double.
  case float64

  /// Bytes of one element.
  public var byteCount: Int { self == .float32 ? 4 : 8 }

  /// Distance from 1 to the next larger number.
  public var ulpOfOne: Double { self == .float32 ? Double(Float.ulpOfOne) : Double.ulpOfOne }

  /// The loops for this precision on the chosen instruction set.
  var kernels: apus_kernels { self == .float32 ? InstructionSet.float32Kernels : InstructionSet.float64Kernels }
}
