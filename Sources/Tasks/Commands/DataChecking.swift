import Base
import Training

/// What is wrong with the data of a config.
public struct DataReport: Sendable {
  /// For the user.
  public let text: String
  /// Whether training can use the data.
  public let isUsable: Bool

  public init(text: String, isUsable: Bool) {
    self.text = text
    self.isUsable = isUsable
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
  fileprivate static func report(_ request: ConfigRequest) throws -> DataReport { try dataReport(load(request).value) }
}
