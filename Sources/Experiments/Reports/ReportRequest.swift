import Base
import Drawing
import Training

/// The arguments of `apus report`.
public struct ReportRequest: Sendable {
  /// Run folders, folders of run folders, or one folder of an experiment.
  public var folders: [String]
  /// The folder for the page and its plots; nil: that of the run or the experiment, or `report` for several runs.
  public var out: String?
  /// Whether losses and errors have logarithmic axes; without it only where a linear one would show nothing.
  public var isLogarithmic = false
  /// The names of Ultralytics' result files instead of a page.
  public var hasYOLOLayout = false

  public init(_ folders: [String]) { self.folders = folders }

  /// The page's file name.
  public static let pageName = "report.html"

  /// Writes the report.
  /// - Returns: the ranking and the files, for the terminal.
  /// - Throws: `.missingInput` and `.badData` naming what is no run or damaged, `.usage` for what cannot be compared, and the failures of
  ///   drawing and writing.
  public func run() throws -> String {
    guard !folders.isEmpty else { throw Failure(.usage, at: "", "no folder was named", remedy: "apus report RUN...") }
    if let experiment = try folders.first(where: { try File.exists(Path.join($0, ExperimentResult.fileName)) }) {
      guard folders.count == 1, !hasYOLOLayout else {
        throw Failure(.usage, at: experiment, "an experiment is reported alone, and as a page")
      }
      return try Self.writeExperiment(folder: experiment, to: out ?? experiment, isLogarithmic: isLogarithmic)
    }
    let paths = try folders.flatMap(Self.runs).uniqued()
    var runs = try paths.map(ReportedRun.init)
    if paths.count > 1 { for (index, name) in ReportedRun.names(of: paths).enumerated() { runs[index].name = name } }
    if hasYOLOLayout {
      guard runs.count == 1 else { throw Failure(.usage, at: "--layout yolo", "this layout is for one run, not for \(runs.count)") }
      return try UltralyticsLayout(run: runs[0], isLogarithmic: isLogarithmic).write(to: out ?? runs[0].folder)
    }
    var report = try RunsReport(runs)
    report.isLogarithmic = isLogarithmic
    var figures: [(name: String, figure: any Figure)] = report.curvePlots().map { ($0.name, $0.plot) }
    if let bars = report.bars() { figures.append(("bars-\(report.score.name)".fileNamePart, bars)) }
    return report.text + (try Self.write(report.page(), figures, to: out ?? (runs.count == 1 ? runs[0].folder : "report")))
  }

  /// Writes the report of an experiment into a folder.
  /// - Parameter folder: the one with `results.json`.
  /// - Returns: the table and the files, for the terminal.
  public static func writeExperiment(folder: String, to out: String, isLogarithmic: Bool = false) throws -> String {
    var report = try ExperimentReport(folder: folder)
    report.isLogarithmic = isLogarithmic
    var figures: [(name: String, figure: any Figure)] = report.curvePlots().map { ($0.name, $0.plot) }
    for metric in report.result.metrics {
      figures.append(("bars-\(metric.name)".fileNamePart, report.bars(metric)))
      if let differences = report.differences(metric) { figures.append(("differences-\(metric.name)".fileNamePart, differences)) }
    }
    return report.text + (try write(report.page(), figures, to: out))
  }

  private static func write(_ page: HTMLPage, _ figures: [(name: String, figure: any Figure)], to out: String) throws -> String {
    try File.createFolder(out)
    try page.write(to: Path.join(out, pageName))
    for (name, figure) in figures { try figure.writeBothForms(to: Path.join(out, name)) }
    let plots = figures.isEmpty ? "" : "; plots beside it: \(figures.map(\.name).joined(separator: ", ")) (.svg, .png)"
    return "report: \(Path.join(out, pageName))\(plots)\n"
  }

  /// The run folder itself, or the runs in a folder that is none, in natural order: the folder of a config's runs.
  private static func runs(in folder: String) throws -> [String] {
    let trimmed = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    switch try File.kind(at: trimmed) {
    case nil: throw Failure(.missingInput, at: folder, "there is no such folder", remedy: "apus report takes run folders.")
    case .folder?: break
    case .file?, .other?:
      throw Failure(.missingInput, at: folder, "this is a file, expected a run folder", remedy: "Name the folder, not a file in it.")
    }
    guard try !File.exists(Path.join(trimmed, "config.yaml")) else { return [trimmed] }
    let inside = try Folder.folders(in: trimmed).map { Path.join(trimmed, $0) }
    let runs = try inside.filter { try File.exists(Path.join($0, "config.yaml")) }
    return runs.isEmpty ? [trimmed] : runs
  }
}
