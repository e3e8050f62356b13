import Base
import Data
import Foundation
import Tensors

/// The report of `apus doctor`: the facts about a machine and an installation that belong to a bug report.
public struct SystemReport {
  /// Environment variables that change what this program or its libraries do.
  private static let variables = [
    "APUS_ISA", "OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_VERBOSE", "LD_LIBRARY_PATH", "LD_PRELOAD", "LANG",
  ]

  /// Label and text of each line.
  private var lines: [(label: String, text: String)] = []

  /// - Parameters:
  ///   - folder: whose disk is told.
  ///   - libraries: further libraries, each on a line.
  public init(folder: String = ".", libraries: [String] = []) {
    let facts = EnvironmentInfo.gathered(isa: MatmulPrecision.description, threads: ThreadPool.shared.threadCount)
    lines = [
      ("apus", "\(facts.version), \(facts.build), \(facts.swiftCompiler)"),
      ("system", "\(facts.system), kernel \(facts.kernel)"),
      ("processor", facts.cpu),
      ("cores", "\(facts.cores)"),
      ("instruction sets", "\(InstructionSet.current.rawValue) in use; available: "
        + InstructionSet.available.map(\.rawValue).joined(separator: ", ")),
      ("peak", String(format: "%.0f GFLOP/s of float32 multiply-adds on \(facts.threads) threads", ProcessorPeak.measured() / 1e9)),
      ("BLAS", facts.blas),
      ("BLAS build", BLAS.info.configuration),
      ("products", facts.isa),
      ("threads", "\(facts.threads)"),
      ("memory", Self.memory(facts)),
      ("disk", Self.disk(of: folder)),
      ("libraries", ImageLibraries.versions),
    ]
    lines += libraries.map { ("", $0) }
    let environment = ProcessInfo.processInfo.environment
    lines += Self.variables.compactMap { name in environment[name].map { ("environment", "\(name)=\($0.printable(limit: 200))") } }
  }

  public var text: String {
    let width = lines.map(\.label.count).max() ?? 0
    return lines.map { "\($0.label.padding(toLength: width, withPad: " ", startingAt: 0))  \($0.text)\n" }.joined()
  }

  private static func gibibytes(_ bytes: Double) -> String { String(format: "%.1f GiB", bytes / Double(1 << 30)) }

  private static func memory(_ facts: EnvironmentInfo) -> String {
    let permitted = Double(MemoryPool.limit)
    return "\(gibibytes(Double(facts.memoryMebibytes) * Double(1 << 20))), at most \(gibibytes(permitted)) for tensors"
  }

  private static func disk(of folder: String) -> String {
    var facts = statvfs()
    guard statvfs(folder, &facts) == 0 else { return "unknown: \(String(cString: strerror(errno)))" }
    let block = Double(facts.f_frsize)
    return "\(gibibytes(block * Double(facts.f_bavail))) free of \(gibibytes(block * Double(facts.f_blocks))) in this folder"
  }
}
