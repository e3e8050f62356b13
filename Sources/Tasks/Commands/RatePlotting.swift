import Base
import Drawing
import Foundation
import Training

/// The arguments of `apus lr plot`.
public struct RatePlotRequest: Sendable {
  public var config: ConfigRequest
  /// The folder of the charts; nil: one below `work_dirs/lr`.
  public var folder: String?
  /// Steps in a pass over the training set; nil: looked up in the data, where the config counts in epochs.
  public var stepsPerEpoch: Int?

  public init(config: ConfigRequest) { self.config = config }
}

extension LearningTask {
  /// Draws the learning rates of a whole run by its config. Nothing is trained; data are opened only where the config counts in epochs.
  /// - Returns: the text that `apus lr plot` prints.
  public static func plotRates(_ request: RatePlotRequest) throws -> String {
    if let count = request.stepsPerEpoch, count < 1 || count > 1_000_000_000 {
      throw Failure(.usage, at: "--steps-per-epoch \(count)", "expected 1 to 1000000000")
    }
    let loaded = try ConfigLoader(defaults: Config()).load(file: request.config.path, overrides: request.config.overrides)
    let curves = try RateCurves(TaskTraining.self, loaded.stages, plan: loaded.value.plan) { stage in
      try request.stepsPerEpoch ?? stepsPerEpoch(stage.index, request.config)
    }
    let folder = request.folder ?? "work_dirs/lr/\(Path.stem(request.config.path))"
    let chart = chart(of: curves, Path.stem(request.config.path))
    let files = try ChartFiles(folder, "plot").write(chart)
    return curves.text + files
  }

  /// From the data of a stage, whose config may take values from them.
  private static func stepsPerEpoch(_ stage: Int, _ request: ConfigRequest) throws -> Int {
    do {
      let stage = try load(request).stages[stage]
      return TaskTraining.stepsPerEpoch(try TaskTraining.open(stage), stage.config)
    } catch let failure as Failure where failure.kind == .missingInput {
      throw failure.told(remedy: "The config counts in epochs, whose length is that of the data. Without them: --steps-per-epoch N.")
    }
  }

  private static func chart(of curves: RateCurves, _ name: String) -> LinePlot {
    let series = curves.all.map { curve in
      LinePlot.Series(name: curve.name, points: curve.points.map { Point(Double($0.step), $0.rate) })
    }
    var plot = LinePlot(title: "Learning rate, \(name)", xLabel: "step", yLabel: "learning rate", series: series)
    plot.marks = curves.events.filter(\.isStage).map { LinePlot.Mark(Double($0.step), $0.meaning) }
    plot.marksPoints = false
    return plot
  }
}

/// A chart in both forms: `NAME.svg` and `NAME.png`.
struct ChartFiles {
  private let folder: String
  private let name: String

  init(_ folder: String, _ name: String) { (self.folder, self.name) = (folder, name) }

  /// - Returns: a line for the user.
  func write(_ figure: some Figure) throws -> String {
    if let problem = Typeface.problem { Console().warning(problem) }
    try File.createFolder(folder)
    try figure.writeBothForms(to: Path.join(folder, name))
    return "drawn: \(Path.join(folder, name)).svg and .png\n"
  }
}

/// Learning rates in tables.
enum RateText {
  /// Four digits, as short as can be: `0.0004`, `3.162e-05`.
  static func number(_ rate: Double) -> String { rate.isFinite ? String(format: "%.4g", rate) : "–" }
}

extension RateCurves {
  /// Rates at the start, at the peak and at the end, and where they change.
  var text: String {
    var table = TextTable(["rate", "start", "peak", "at step", "end"], rightAligned: [1, 2, 3, 4])
    for curve in all {
      table.add([curve.name, RateText.number(curve.first), RateText.number(curve.peak.rate), "\(curve.peak.step)",
                 RateText.number(curve.last)])
    }
    let heading = "\(steps) steps; the rate of step 0 is that of the first update\n\n"
    guard !events.isEmpty else { return heading + table.text }
    let most = 20
    var changes = TextTable(["at step", "what"] + all.map(\.name), rightAligned: Set([0] + all.indices.map { $0 + 2 }))
    for event in events.prefix(most) {
      changes.add(["\(event.step)", event.meaning] + all.map { RateText.number($0.rate(at: event.step) ?? .nan) })
    }
    let rest = events.count > most ? "and \(events.count - most) more changes\n" : ""
    return heading + table.text + "\n" + changes.text + rest
  }
}
