import Base
import Foundation
import Training

extension BenchmarkReport {
  public func json() throws -> String { String(decoding: try JSONEncoder.snakeCase.encode(self), as: UTF8.self) }

  /// The table that `apus bench` prints.
  public var text: String {
    let header = [
      "case", "GFLOP", "ours ms", "torch ms", "torch/ours", "quartiles", "GFLOP/s", "torch", "% peak", "torch", "MiB", "torch", "torch ran",
    ]
    var table = TextTable(header, rightAligned: Set(1...11))
    for item in cases { table.add(item.cells) }
    let means = groups.map { "\($0.name): geometric mean of torch/ours \(Self.number($0.ratio, 2))\n" }
    let remarks = skipped.map { "\($0.name) was skipped: \($0.reason)\n" }
      + cases.flatMap { item in item.notes.map { "\(item.name): \($0)\n" } }
    return heading + "\n" + table.text + comparison + (means.isEmpty ? "" : "\n") + means.joined() + (remarks.isEmpty ? "" : "\n")
      + remarks.joined()
  }

  /// The cases with alternatives: the speed of each way in GFLOP/s, and ours relative to the best of the others.
  private var comparison: String {
    let compared = cases.filter { !$0.alternatives.isEmpty }
    guard let names = compared.first?.alternatives.map(\.variant) else { return "" }
    var table = TextTable(["GFLOP/s", "chosen"] + names + ["chosen/best"], rightAligned: Set(1...names.count + 2))
    for item in compared {
      let best = item.alternatives.map(\.gflops).max() ?? 0
      table.add(
        [item.name, Self.number(item.ours.gflops, 0)] + item.alternatives.map { Self.number($0.gflops, 0) }
          + [Self.number(item.ours.gflops / best, 2)])
    }
    return "\n" + table.text
  }

  private var heading: String {
    let other = torch.map { "PyTorch \($0), the fastest of its variants" } ?? "without PyTorch: \(torchMissing ?? "")"
    return """
      \(cpu), \(threads) of \(cores) cores, \(isa) kernels, precision \(precision.rawValue); \(other).
      Medians of \(rounds) rounds that alternate between the sides; peak: \(Self.number(peakGflops, 0)) GFLOP/s of float32 multiply-adds.

      """
  }

  fileprivate static func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}

extension BenchmarkReport.Case {
  fileprivate var cells: [String] {
    func both(_ cell: (BenchmarkReport.Side) -> String) -> [String] { [cell(ours), torch.map(cell) ?? "-"] }
    func number(_ value: Double, _ digits: Int) -> String { BenchmarkReport.number(value, digits) }
    let ratios = ratio.map { [number($0.ofMedians, 2), "\(number($0.lowerQuartile, 2))-\(number($0.upperQuartile, 2))"] } ?? ["-", "-"]
    return [name, number(gflop, 2)]
      + both { number($0.seconds * 1000, $0.seconds < 0.01 ? 3 : 1) } + ratios
      + both { number($0.gflops, 0) } + both { number($0.shareOfPeak * 100, 0) }
      + both { $0.peakMebibytes.map { number($0, 0) } ?? "-" } + [torch?.variant ?? ""]
  }
}
