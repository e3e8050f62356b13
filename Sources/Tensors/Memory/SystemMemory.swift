import Foundation

/// The system's figures about memory, in bytes.
enum SystemMemory {
  /// The memory of the machine, or the part of it that a control group (a container) or a limit of the process leaves.
  static let limit: Int = {
    let physical = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    return ([physical] + groupLimits + [RLIMIT_AS, RLIMIT_DATA].compactMap(processLimit)).min() ?? physical
  }()

  /// Memory that can be taken now without pushing others out: the kernel's estimate, which counts file caches as free, within the control
  /// group's limit; `nil` if it is not known.
  static var available: Int? {
    let free = number(in: "/proc/meminfo", after: "MemAvailable:").map { $0 << 10 }
    guard let limit = groupLimits.min(), let used = groupUsage else { return free }
    return min(free ?? Int.max, max(0, limit - used))
  }

  private static let groups = ["/sys/fs/cgroup/memory.", "/sys/fs/cgroup/memory/memory."]

  private static var groupLimits: [Int] {
    groups.flatMap { [number(in: $0 + "max"), number(in: $0 + "limit_in_bytes")] }.compactMap { $0 }.filter { $0 > 0 }
  }

  /// Memory that the control group holds and cannot drop at once.
  private static var groupUsage: Int? {
    for group in groups {
      guard let used = number(in: group + "current") ?? number(in: group + "usage_in_bytes") else { continue }
      return used - (number(in: group + "stat", after: "inactive_file ") ?? 0)
    }
    return nil
  }

  private static func processLimit(_ resource: __rlimit_resource) -> Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return nil }
    guard limit.rlim_cur != rlim_t.max, limit.rlim_cur > 0 else { return nil }
    return Int(clamping: limit.rlim_cur)
  }

  /// The number at the start of a small file, or behind `label` in it.
  private static func number(in path: String, after label: String = "") -> Int? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    let count = read(file, &bytes, bytes.count)
    guard count > 0 else { return nil }
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    guard let start = label.isEmpty ? text.startIndex : text.range(of: label)?.upperBound else { return nil }
    return Int(text[start...].drop { $0 == " " }.prefix { $0.isNumber })
  }
}
