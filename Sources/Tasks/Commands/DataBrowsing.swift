import Base
import Data
import Drawing
import Foundation
import Training
import Vision

/// The training samples of a stage, one at a time, as the loader makes them.
public struct TrainingSamples<View> {
  /// With the seed of the run.
  public let order: BatchOrder
  /// The name of a sample.
  public let name: (Int) -> String
  /// Makes a sample, and tells its view before any change and behind every step.
  public let follow: (_ index: Int, _ random: inout Random, _ seen: @escaping AugmentationObserver<View>) throws -> Void

  public init(
    _ order: BatchOrder, name: @escaping (Int) -> String,
    follow: @escaping (_ index: Int, _ random: inout Random, _ seen: @escaping AugmentationObserver<View>) throws -> Void
  ) {
    (self.order, self.name, self.follow) = (order, name, follow)
  }
}

/// A picture of a sample with its annotations, and a few words about it.
public struct SamplePicture {
  public let words: String
  public let image: Image

  public init(_ words: String = "", _ image: Image) { (self.words, self.image) = (words, image) }

  /// - Throws: the failures of drawing.
  public init(_ words: String = "", _ figure: some Figure) throws { self.init(words, try figure.image()) }

  /// The width to show a picture at: its own, within limits that leave room for five side by side.
  public static func width(of image: Image) -> Int { min(360, max(216, image.width)) }

  /// Pictures one below the other.
  /// - Throws: the failures of drawing.
  static func stacked(_ words: String, _ parts: [(caption: String, figure: any Figure)]) throws -> SamplePicture {
    let cells = parts.map { FigureGrid.Cell($0.caption, $0.figure) }
    return try SamplePicture(words, FigureGrid(cells, columns: 1, gap: 6, margin: 0))
  }
}

/// A task whose training samples can be followed through their random changes.
public protocol DataBrowseTask: DataCheckTask {
  /// A sample between two steps.
  associatedtype View

  /// Opens the training data of a stage, and nothing else that training needs.
  /// - Throws: as training.
  static func samples(_ stage: Stage<Config>) throws -> TrainingSamples<View>

  /// Pictures of a sample with its annotations.
  /// - Throws: the failures of drawing.
  static func pictures(of view: View, _ config: Config) throws -> [SamplePicture]
}

/// The arguments of `apus data browse`.
public struct DataBrowseRequest: Sendable {
  public var config: ConfigRequest
  /// Samples of each stage.
  public var count = 12
  /// The folder of the page; nil: one below `work_dirs/browse`.
  public var folder: String?
  /// Whether the whole set is read for its statistics.
  public var hasStatistics = true

  public init(config: ConfigRequest) { self.config = config }
}

extension LearningTask {
  /// Writes a page with training samples before and behind each of their random changes, and the statistics of the set.
  /// - Returns: the text that `apus data browse` prints.
  /// - Throws: `.usage` if the task has no samples to look at, and the failures of reading, drawing and writing.
  public static func browseData(_ request: DataBrowseRequest) throws -> String {
    guard let task = Self.self as? any DataBrowseTask.Type else {
      throw Failure(.usage, at: request.config.path, "the task of this config has no samples to look at")
    }
    guard (1...1000).contains(request.count) else { throw Failure(.usage, at: "--count \(request.count)", "expected 1 to 1000") }
    return try task.page(request)
  }
}

extension DataBrowseTask {
  fileprivate static func page(_ request: DataBrowseRequest) throws -> String {
    let loaded = try load(request.config)
    let name = Path.stem(request.config.path)
    var page = HTMLPage(title: "Data of \(name)", subtitle: HTML("\(help.title); what the network sees in the first epoch"))
    var broken = 0
    for stage in loaded.stages {
      let title = stage.name.isEmpty ? "Samples" : "Samples of stage '\(stage.name)'"
      try page.section(title) { broken += try add(stage, request.count, to: &$0) }
    }
    if request.hasStatistics {
      let report = try report(request.config)
      try page.section("Statistics") { try $0.add(report) }
    }
    let folder = request.folder ?? "work_dirs/browse/\(name)"
    let file = Path.join(folder, "index.html")
    try File.createFolder(folder)
    try page.write(to: file)
    let warning = broken > 0 ? "\(broken) samples cannot be read: the page says why, and so does apus data check\n" : ""
    return "\(warning)written: \(file)\n"
  }

  /// Adds samples in the order of the first epoch.
  /// - Returns: how many of them cannot be read.
  private static func add(_ stage: Stage<Config>, _ count: Int, to page: inout HTMLPage) throws -> Int {
    let samples = try samples(stage)
    let order = samples.order
    let indices = order.permutation(ofEpoch: 0).prefix(count)
    page.paragraph("The first \(indices.count) of \(order.count) samples in the order of training with seed \(Int(order.seed)), from step "
      + "to step as they are read, changed and given to the network.")
    var broken = 0
    for (number, index) in indices.enumerated() {
      try page.section("\(number + 1). \(samples.name(index))") { page in
        do {
          try page.add(steps(of: index, samples, stage.config))
        } catch let failure as Failure where [.badData, .missingInput].contains(failure.kind) {
          page.warning(HTML("\(failure)"))
          broken += 1
        }
      }
    }
    return broken
  }

  /// The steps of a sample with their pictures; none for a step that left it as it was.
  private static func steps(
    of index: Int, _ samples: TrainingSamples<View>, _ config: Config
  ) throws -> [(step: AugmentationStep, pictures: [SamplePicture])] {
    var steps: [(step: AugmentationStep, pictures: [SamplePicture])] = []
    var problem: (any Error)?
    var random = samples.order.random(epoch: 0, index: index)
    try samples.follow(index, &random) { step, view in
      do {
        steps.append((step, step.isTaken ? try pictures(of: view(), config) : []))
      } catch {
        problem = problem ?? error
      }
    }
    if let problem { throw problem }
    return steps
  }
}

extension HTMLPage {
  fileprivate mutating func add(_ steps: [(step: AugmentationStep, pictures: [SamplePicture])]) {
    var pictures: [HTMLPicture] = []
    for (step, drawn) in steps {
      for picture in drawn {
        let detail = [step.detail, picture.words].filter { !$0.isEmpty }.joined(separator: "; ")
        pictures.append(HTMLPicture(jpeg: picture.image, quality: 88, .strong(step.name) + HTML(detail.isEmpty ? "" : " \(detail)")))
      }
    }
    self.pictures(pictures, "a training sample")
    let others = steps.filter { !$0.step.isTaken }.map { HTML.strong($0.step.name) }
    if !others.isEmpty { paragraph("Without effect on this sample, by its draws: " + others.joined(separator: ", ")) }
  }

  /// Charts of the distributions, and the text of the check.
  fileprivate mutating func add(_ report: DataReport) throws {
    if !report.isUsable { warning("There are errors in these data: see the report below.") }
    try charts(report.distributions.map { distribution in
      let bars = distribution.bins.map { BarPlot.Bar($0.label, $0.value) }
      var plot = BarPlot(title: distribution.title, label: distribution.unit, bars: bars)
      plot.decimals = distribution.decimals
      plot.width = 460
      return plot
    })
    foldable("The report of apus data check", isOpen: !report.isUsable) { $0.preformatted(report.text) }
  }
}
