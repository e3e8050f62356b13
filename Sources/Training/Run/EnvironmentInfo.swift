import Base
import Foundation
import Tensors

/// The version of this program.
public enum ApusVersion {
  public static let current = "0.1.0"
}

/// `env.json`: what a run was made with and on.
public struct EnvironmentInfo: Codable, Sendable, Equatable {
  public var version: String
  public var swiftCompiler: String
  public var build: String
  public var host: String
  public var system: String
  public var kernel: String
  public var cpu: String
  /// Cores this process may use.
  public var cores: Int
  public var threads: Int
  /// The instruction set of the kernels, and how products are split: `avx512`, `avx2`, `amx, 3 bfloat16 parts`.
  public var isa: String
  /// The library behind plain products: its version, the processor family whose kernels it uses, its threads.
  public var blas: String
  public var memoryMebibytes: Int

  /// Looks at the machine; `isa` and `threads` are what the tensor kernels chose.
  public static func gathered(isa: String, threads: Int) -> EnvironmentInfo {
    var name = utsname()
    uname(&name)
    let kernel = withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let cpu = value(of: ["model name", "Hardware", "cpu model"], in: "/proc/cpuinfo", separator: ":")
    let system = value(of: ["PRETTY_NAME"], in: "/etc/os-release", separator: "=")
    let memory = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) / 1_048_576
    return EnvironmentInfo(
      version: ApusVersion.current, swiftCompiler: compiler, build: buildKind, host: ProcessInfo.processInfo.hostName,
      system: system ?? "Linux", kernel: kernel, cpu: cpu ?? "unknown", cores: ProcessInfo.processInfo.activeProcessorCount,
      threads: threads, isa: isa, blas: "\(BLAS.info)", memoryMebibytes: memory)
  }

  func json() throws -> String {
    let encoder = JSONEncoder.ofFiles
    encoder.keyEncodingStrategy = .custom { SnakeKey(stringValue: ($0.last?.stringValue ?? "").snakeCased) }
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }

  /// What stands in the `env.json` of a run folder, the program first: names in words, values as text. Empty if there is no such file.
  /// - Throws: `.badData` if it is something else.
  public static func facts(runFolder: String) throws -> [(name: String, value: String)] {
    let path = Path.join(runFolder, "env.json")
    guard let bytes = try File.bytesIfPresent(at: path) else { return [] }
    guard let object = try? JSONSerialization.jsonObject(with: Foundation.Data(bytes)) as? [String: Any] else {
      throw Failure(.badData, at: path, "this is not the record of a run's environment")
    }
    let order = ["version", "build", "swift_compiler", "cpu", "cores", "threads", "isa", "blas", "memory_mebibytes", "system", "kernel",
                 "host"]
    let names = order.filter { object[$0] != nil } + object.keys.filter { !order.contains($0) }.sorted()
    return names.map { ($0.replacing("_", with: " "), "\(object[$0] ?? "")") }
  }

  private struct SnakeKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// The value of the first line of a system file that begins with one of the keys.
  private static func value(of keys: [String], in path: String, separator: Character) -> String? {
    guard let bytes = try? File.bytes(at: path) else { return nil }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: separator, maxSplits: 1).map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " \t\"")) }
      if parts.count == 2, keys.contains(parts[0]) { return parts[1] }
    }
    return nil
  }

  private static var buildKind: String {
    #if DEBUG
    "debug"
    #else
    "release"
    #endif
  }

  /// Swift has no name of its own version at run time; this is as fine as the compiler can be asked.
  private static var compiler: String {
    #if compiler(>=6.4)
    "Swift 6.4 or later"
    #elseif compiler(>=6.3.1)
    "Swift 6.3.1 or later 6.3"
    #elseif compiler(>=6.3)
    "Swift 6.3"
    #elseif compiler(>=6.2)
    "Swift 6.2"
    #elseif compiler(>=6.1)
    "Swift 6.1"
    #else
    "Swift 6.0"
    #endif
  }
}
