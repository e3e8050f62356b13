import Base
import Drawing
import Foundation
import Training

/// The arguments of `apus lr find`.
public struct RangeTestRequest: Sendable {
  public var config: ConfigRequest
  public var range = RateRange(from: 1e-7, to: 1, steps: 100)
  /// The folder of chart and table; nil: one below `work_dirs/lr`.
  public var folder: String?

  public init(config: ConfigRequest) { self.config = config }

  /// - Throws: `.usage` for a range that is none.
  fileprivate func validate() throws {
    let rates = 1e-30...1e6
    guard rates.contains(range.from), rates.contains(range.to), range.from < range.to else {
      throw Failure(.usage, at: "--from \(range.from) --to \(range.to)", "expected rates of 1e-30 to 1e6, the first below the last")
    }
    let least = RangeTest.skippedFirst + RangeTest.skippedLast + 2
    guard (least...100_000).contains(range.steps) else {
      throw Failure(.usage, at: "--steps \(range.steps)", "expected \(least) to 100000: the first \(RangeTest.skippedFirst) and the last "
        + "\(RangeTest.skippedLast) losses do not count for the suggestion")
    }
  }
}

extension LearningTask {
  /// Trains for some steps with a learning rate that rises, and finds the one at which the loss falls fastest. No weights are written.
  /// - Returns: the text that `apus lr find` prints.
  /// - Throws: `.usage` for a wrong range, and what opening and training throw.
  public static func findRate(_ request: RangeTestRequest, progress: (Int) -> Void) throws -> String {
    try request.validate()
    let loaded = try load(request.config)
    let first = loaded.stages[0]
    try MemoryGuard(Self.self, first.config, model(first.config), .training).require(inputShape(first.config))
    var recipe = try StagedRecipe<TaskTraining>([first], range: request.range)
    var notes = first.name.isEmpty ? "" : "stage '\(first.name)'\n"
    let test = try RangeTest(&recipe, request.range, note: { notes += $0 + "\n" }, progress: progress)
    let own = TaskTraining.learners(first.config, try TaskTraining.model(first.config))[0].optimizer.learningRate
    let folder = request.folder ?? "work_dirs/lr/\(Path.stem(request.config.path))"
    let files = try ChartFiles(folder, "find").write(test.chart(Path.stem(request.config.path)))
    let table = Path.join(folder, "find.csv")
    try AtomicFile.write(Array(test.csv.utf8), to: table)
    return notes + test.text(of: request.range, configured: own) + files + "all numbers: \(table)\n"
  }
}

extension RangeTest {
  /// The losses besides the one that is looked at, such as those of other networks.
  private var otherLosses: [String] {
    points.first.map { $0.metrics.names.filter { $0 != loss.name && $0.hasPrefix("loss_") } } ?? []
  }

  func chart(_ name: String) -> LinePlot {
    let most = points.map(\.smoothed).max() ?? 1
    let raw = points.map { Drawing.Point($0.rate, $0.loss <= 1.25 * most ? $0.loss : .nan) }
    var plot = LinePlot(title: "Learning-rate range test, \(name)", xLabel: "learning rate", yLabel: loss.name, series: [
      .init(name: "of each batch", points: raw, colorIndex: 5),
      .init(name: "smoothed", points: points.map { Drawing.Point($0.rate, $0.smoothed) }, colorIndex: 0),
    ])
    plot.xScale = .log
    plot.includesZero = false
    plot.marksPoints = false
    plot.better = .lower
    if let suggested { plot.marks = [.init(points[suggested].rate, "suggestion: \(RateText.number(points[suggested].rate))")] }
    return plot
  }

  /// Every number of every update.
  var csv: String {
    let rates = points.first?.rates.names ?? []
    let metrics = points.reduce(into: [String]()) { names, point in names += point.metrics.names.filter { !names.contains($0) } }
    let head = (["step"] + rates + ["smoothed"] + metrics).joined(separator: ",")
    let rows = points.map { point in
      let numbers = rates.map { point.rates[$0] } + [point.smoothed] + metrics.map { point.metrics[$0] }
      return (["\(point.step)"] + numbers.map { $0.map { "\($0)" } ?? "" }).joined(separator: ",")
    }
    return ([head] + rows).map { $0 + "\n" }.joined()
  }

  /// - Parameter configured: the largest rate of the first optimiser by the config.
  func text(of range: RateRange, configured: Double) -> String {
    let others = otherLosses
    let shown = Set(stride(from: 0, to: points.count, by: max(1, points.count / 10)) + [points.count - 1])
    var table = TextTable(["step", "lr", loss.name, "smoothed"] + others + [""], rightAligned: Set(0..<4 + others.count))
    for (index, point) in points.enumerated() where shown.contains(index) || index == suggested || index == least {
      let note = index == suggested ? "suggestion: steepest descent" : index == least ? "least smoothed loss" : ""
      let numbers = [point.loss, point.smoothed] + others.map { point.metrics[$0] ?? .nan }
      table.add(["\(point.step)", RateText.number(point.rate)] + numbers.map(RateText.number) + [note])
    }
    return table.text + "\n" + ending(range) + advice(configured)
  }

  private func ending(_ range: RateRange) -> String {
    switch end {
    case .completed: "all \(range.steps) rates from \(RateText.number(range.from)) to \(RateText.number(range.to)) were tried\n"
    case .rose: "ended after \(points.count) updates: the smoothed loss rose to more than \(Int(Self.mostRise)) times its least value\n"
    case .notFinite(let reason): "ended after \(points.count) updates: \(reason)\n"
    }
  }

  private func advice(_ configured: Double) -> String {
    guard let suggested else {
      return "no suggestion: " + (points.count < Self.skippedFirst + Self.skippedLast + 2
        ? "too few losses; begin with a smaller rate (--from)\n"
        : "the smoothed loss falls nowhere; more steps, or other rates, may help\n")
    }
    let point = points[suggested]
    let factor = RateText.number(point.rate / configured)
    var text = "suggestion: \(RateText.number(point.rate)), \(factor) times the config's largest rate\n"
    if let least, least < suggested {
      text += "the smoothed loss was least before that: noise speaks here; a larger batch or more steps tell more\n"
    }
    let rates = point.rates.map { "\($0.name) \(RateText.number($0.value))" }
    if rates.count > 1 { text += "all rates moved by the same factor; at the suggestion: \(rates.joined(separator: ", "))\n" }
    return text
  }
}
