import Base
import Foundation
import Tensors

/// Facts about a process from Linux's /proc.
enum ProcessFacts {
  /// The most memory this process had in use since its start, or since `resetPeakMemory`, MiB; `nil` where Linux does not tell.
  static var peakMebibytes: Double? {
    guard let status = try? File.text(at: "/proc/self/status") else { return nil }
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Double($0.filter(\.isNumber)) }.map { $0 / 1024 }
  }

  /// Forgets the peak so far. Where that is not allowed the peak covers the whole life of the process.
  static func resetPeakMemory() {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
    try? file.write(contentsOf: Data("5".utf8))
  }

  /// Seconds of processor time that all threads of a process have used; 0 where Linux does not tell.
  static func processorSeconds(of process: Int32) -> Double {
    guard let text = try? File.text(at: "/proc/\(process)/stat"), let name = text.lastIndex(of: ")") else { return 0 }
    let fields = text[name...].split(separator: " ")  // ")", state, ...: the 14th and 15th of all are the times in user and kernel mode
    guard fields.count > 13, let user = Double(fields[12]), let kernel = Double(fields[13]) else { return 0 }
    return (user + kernel) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}

/// A process that keeps one core busy until its parent ends.
public enum BackgroundLoad {
  public static func run() {
    let parent = getppid()
    var x = 1.0
    while getppid() == parent {
      for _ in 0..<10_000_000 { x = x * 0.999 + 0.001 }
    }
    require(x.isFinite, "BackgroundLoad: the sum left the finite numbers")  // so that the loop is not optimised away
  }
}
