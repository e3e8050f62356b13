import Base
import Data
import Training

/// What is in the data of a config, and what is wrong with it.
public struct DataReport: Sendable {
  /// For the user.
  public let text: String
  /// Whether training can use the data.
  public let isUsable: Bool
  /// Of the training set, for charts; the text has them all.
  public let distributions: [Distribution]

  public init(text: String, isUsable: Bool, distributions: [Distribution] = []) {
    self.text = text
    self.isUsable = isUsable
    self.distributions = distributions
  }
}

/// A task that can say all that is wrong with its data.
public protocol DataCheckTask: LearningTask {
  /// - Throws: the failures of reading; what is wrong inside the files stands in the report.
  static func dataReport(_ config: Config) throws -> DataReport
}

extension LearningTask {
  /// All that is wrong with the data of a config.
  /// - Throws: `.usage` if the task has no such report, and the failures of reading.
  public static func checkData(_ request: ConfigRequest) throws -> DataReport {
    guard let task = Self.self as? any DataCheckTask.Type else {
      throw Failure(.usage, at: request.path, "the task of this config has no data report",
                    remedy: "apus train reports the first thing that is wrong with its data.")
    }
    return try task.report(request)
  }
}

extension DataCheckTask {
  /// The reports of all stages, those that are equal once.
  static func report(_ request: ConfigRequest) throws -> DataReport {
    let stages = try load(request).stages
    var reports: [(name: String, report: DataReport)] = []
    for stage in stages {
      let report = try dataReport(stage.config)
      if !reports.contains(where: { $0.report.text == report.text }) { reports.append((stage.name, report)) }
    }
    let isUsable = reports.allSatisfy(\.report.isUsable)
    let texts = reports.map { name, report in (name.isEmpty ? "" : "stage '\(name)'\n") + report.text }
    let verdict = isUsable ? "training can use these data\n" : "training cannot use these data: see the errors above\n"
    return DataReport(text: texts.joined(separator: "\n") + "\n" + verdict, isUsable: isUsable,
                      distributions: reports.flatMap(\.report.distributions))
  }
}
