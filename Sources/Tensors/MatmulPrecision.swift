import Synchronization

/// Precision of products of float32 numbers: convolutions, linear layers, correlations. The names are PyTorch's.
///
/// Everything else stays float32, the products inside `attention(keys:values:heads:bias:)` too, and float64 tensors are not affected.
public enum MatmulPrecision: String, Codable, Sendable, CaseIterable {
  /// Float32 accuracy: float32 arithmetic, convolutions with kernels of 3x3, 1x5 and 5x1 in Winograd's tiles, or six products of numbers
  /// split into three bfloat16 parts where tile registers (AMX) make that faster.
  case highest
  /// Relative errors about 4e-6: three products of two parts on AMX; elsewhere as `highest`.
  case high
  /// Operands rounded to bfloat16 (relative errors about 3e-3), sums in float32, on AMX; elsewhere as `highest`, because bfloat16 units
  /// without tile registers gain nothing.
  case medium

  private static let setting = Atomic<Int>(0)

  /// The precision of all products of this process from now on. Not to be changed while ops run.
  public static var current: MatmulPrecision {
    get { allCases[setting.load(ordering: .relaxed)] }
    set { setting.store(allCases.firstIndex(of: newValue) ?? 0, ordering: .relaxed) }
  }

  /// The precision that products have with the current setting on this processor.
  public static var effective: MatmulPrecision {
    switch ProductPolicy.current.bf16Parts(depth: Int.max, columns: Int.max, .float32) {
    case 1: .medium
    case 2: .high
    default: .highest
    }
  }

  /// The units that products run on, for logs: for example "avx512, OpenBLAS 0.3.21 SkylakeX", "amx, 3 bfloat16 parts".
  public static var description: String {
    let policy = ProductPolicy.current, set = policy.instructionSet.rawValue
    if let parts = policy.bf16Parts(depth: Int.max, columns: Int.max, .float32) {
      return "\(set), \(parts) bfloat16 part\(parts == 1 ? "" : "s")"
    }
    return policy.prefersPanels(depth: Int.max, columns: Int.max) ? set : "\(set), OpenBLAS \(BLAS.info.version) \(BLAS.info.core)"
  }
}
