import Base
import Drawing
import Foundation
import Training

/// A run under the names that users of Ultralytics' tools look for: `results.csv`, `results.png`, `args.yaml`, and `weights/best` and
/// `weights/last` as links to the checkpoint folders.
struct UltralyticsLayout {
  let run: ReportedRun
  let isLogarithmic: Bool

  /// - Returns: what was written, for the terminal.
  func write(to out: String) throws -> String {
    var report = try RunsReport([run])
    report.isLogarithmic = isLogarithmic
    try File.createFolder(out)
    try AtomicFile.write(table, to: Path.join(out, "results.csv"))
    let plots = report.curvePlots().map { FigureGrid.Cell($0.plot) }
    if !plots.isEmpty { try FigureGrid(plots, columns: 2).write(to: Path.join(out, "results.png")) }
    try AtomicFile.write(run.config.yaml, to: Path.join(out, "args.yaml"))
    let links = try ["best", "last"].filter { try link($0, in: Path.join(out, "weights")) }.map { ", weights/\($0)" }
    return "results.csv, \(plots.isEmpty ? "" : "results.png, ")args.yaml\(links.joined()) in \(out)\n"
  }

  /// A row for each validation with the training metrics of the last row before it, or for each row of training if there is no validation.
  private var table: String {
    let rows = run.history?.rows ?? []
    let metrics = run.task.task.runMetrics
    let split = rows.contains { $0.split == "val" } ? "val" : "train"
    let training = metrics.training.map(\.name)
    let validation = split == "val" ? metrics.evaluation.map(\.name).filter { name in rows.contains { $0.values[name] != nil } } : []
    let header = ["epoch", "step", "time"] + training.map { "train/\($0)" } + validation.map { "metrics/\($0)" } + ["lr/pg0"]
    var lines = [header]
    var last: [String: Double] = [:]
    for row in rows {
      if row.split == "train" { last = row.values }
      guard row.split == split else { continue }
      lines.append(["\(row.epoch)", "\(row.step)", String(format: "%.1f", row.minutes * 60)] + training.map { Self.cell(last[$0]) }
                   + validation.map { Self.cell(row.values[$0]) } + [Self.cell(last["lr"])])
    }
    return lines.map { $0.joined(separator: ",") + "\n" }.joined()
  }

  private static func cell(_ value: Double?) -> String { value.map { $0.isFinite ? "\($0)" : "nan" } ?? "" }

  /// Links a name to the checkpoint that the run's pointer names; false without such a checkpoint.
  private func link(_ name: String, in folder: String) throws -> Bool {
    let pointer = Path.join(run.folder, "\(name)_checkpoint")
    guard let bytes = try File.bytesIfPresent(at: pointer) else { return false }
    let target = Path.join(run.folder, String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    guard try File.kind(at: target) == .folder else { return false }
    try File.createFolder(folder)
    let place = Path.join(folder, name)
    guard try File.kind(at: place) == nil || !File.isSame(place, target) else { return true }
    try File.removeTree(place)  // an older link; links are not followed
    // Inside the run folder the link goes along when the run is moved.
    let isInside = try File.isSame(File.folder(of: folder), run.folder)
    let absolute = URL(filePath: target).standardizedFileURL.path(percentEncoded: false)
    let destination = isInside ? Path.join("../checkpoints", Path.name(target)) : absolute
    do {
      try FileManager.default.createSymbolicLink(atPath: place, withDestinationPath: destination)
    } catch {
      throw Failure(.cannotCreate, at: place, "the link to \(target) cannot be made",
                    remedy: "Choose a folder on a file system with links: --out.")
    }
    return true
  }
}
