import Base
import CKernels
import Foundation

/// The instruction set of this process's loops, chosen once: the best of the processor, or the one that `APUS_ISA` names.
public enum InstructionSet: String, Sendable, CaseIterable {
  case portable, avx2, avx512
  /// AVX-512, with tile registers for products of float32 numbers split into bfloat16 parts.
  case amx
  /// The same program with tile registers emulated in C, for tests on other processors: slow.
  case amxEmulated = "amx-emulated"

  /// The instruction set in use.
  ///
  /// `APUS_ISA=amx|avx512|avx2|portable` forces a path. Naming one that the processor lacks, or none that we know, stops the
  /// process: silently running something else would make a comparison worthless.
  public static let current: InstructionSet = {
    do { return try chosen() } catch { stop("\(error)") }
  }()

  /// Checks `APUS_ISA`, so that a program can end with a message instead of stopping at its first op.
  /// - Throws: `.usage` if it names what does not exist or cannot run here.
  public static func checkEnvironment() throws {
    _ = try chosen()
  }

  /// The paths that this processor and build have, each of which `APUS_ISA` may name.
  public static var available: [InstructionSet] {
    allCases.filter { apus_kernels_float32($0.kernelValue) != nil && ($0 != .amx || apus_tiles_permitted() != 0) }
  }

  private static func chosen() throws -> InstructionSet {
    let key = "APUS_ISA", loops = InstructionSet(apus_best_isa())
    let best = loops == .avx512 && apus_tiles_permitted() != 0 ? .amx : loops
    guard let name = ProcessInfo.processInfo.environment[key], !name.isEmpty else { return best }
    guard let wanted = InstructionSet(rawValue: name) else {
      throw Failure(.usage, at: key, "unknown instruction set '\(name)'; known: \(allCases.map(\.rawValue).joined(separator: ", "))")
    }
    guard available.contains(wanted) else {
      throw Failure(.usage, at: key, "this processor or build lacks '\(name)'; the best here is '\(best.rawValue)'")
    }
    return wanted
  }

  static let float32Kernels: apus_kernels = table(apus_kernels_float32(current.kernelValue))
  static let float64Kernels: apus_kernels = table(apus_kernels_float64(current.kernelValue))

  private static func table(_ pointer: UnsafePointer<apus_kernels>?) -> apus_kernels {
    guard let pointer else { stop("InstructionSet: no kernels were built for '\(current.rawValue)'") }
    return pointer.pointee
  }

  private init(_ isa: apus_isa) {
    self = isa == APUS_AVX512 ? .avx512 : isa == APUS_AVX2 ? .avx2 : .portable
  }

  private var kernelValue: apus_isa {
    switch self {
    case .portable: APUS_PORTABLE
    case .avx2: APUS_AVX2
    case .avx512, .amx: APUS_AVX512
    case .amxEmulated: apus_best_isa()
    }
  }
}
