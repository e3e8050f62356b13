import Base
import Foundation
import Tensors
import Training

/// Our side of the benchmarks: a process that answers requests line by line until its input ends.
public struct BenchmarkWorker {
  private var workload: PreparedWorkload?

  public init(threads: Int) { ThreadPool.shared.setThreadCount(threads) }

  public mutating func serve() throws {
    try Self.answer(WorkerReply(version: ApusVersion.current, isa: InstructionSet.current.rawValue))
    while let line = readLine() {
      try Self.answer(reply(to: JSONDecoder.snakeCase.decode(ReceivedRequest.self, from: Data(line.utf8))))
    }
  }

  /// Where the time and the memory of a case go, in this process.
  /// - Parameters:
  ///   - steps: repetitions, after one that is not counted.
  ///   - threads: 0: one for each core.
  public static func profile(
    of item: BenchmarkCase, steps: Int, threads: Int, precision: MatmulPrecision
  ) throws -> ProfileReport {
    if threads > 0 { ThreadPool.shared.setThreadCount(threads) }
    MatmulPrecision.current = precision
    let prepared = try item.workload.readyToMeasure()
    try prepared.run()
    Profiler.start()
    for _ in 0..<steps { try Profiler.span("step", prepared.run) }
    return ProfileReport(Profiler.stop(), steps: steps)
  }

  private static func answer(_ reply: WorkerReply) throws {
    try FileHandle.standardOutput.write(contentsOf: JSONEncoder.snakeCase.encode(reply) + Data("\n".utf8))
  }

  private mutating func reply(to request: ReceivedRequest) throws -> WorkerReply {
    switch request.action {
    case .peak:
      return WorkerReply(peak: ProcessorPeak.measured())
    case .prepare:
      MatmulPrecision.current = request.precision ?? .highest
      let wanted = try BenchmarkCase.select([request.name ?? ""])[0].workload
      let prepared = try wanted.readyToMeasure(as: request.variant ?? "")
      workload = prepared
      for _ in 0..<3 { try prepared.run() }
      let seconds = try (0..<3).map { _ in try Self.seconds(1, of: prepared) }.min()
      return WorkerReply(precision: MatmulPrecision.effective.rawValue, operations: prepared.operations, seconds: seconds)
    case .run:
      guard let workload else { return WorkerReply(error: "nothing was prepared") }
      try workload.run()
      return WorkerReply(seconds: try Self.seconds(request.repetitions, of: workload))
    case .memory:
      guard let workload else { return WorkerReply(error: "nothing was prepared") }
      ProcessFacts.resetPeakMemory()
      for _ in 0..<3 { try workload.run() }
      return WorkerReply(peakMebibytes: ProcessFacts.peakMebibytes)
    }
  }

  /// The seconds of one of many repetitions.
  private static func seconds(_ repetitions: Int, of workload: PreparedWorkload) throws -> Double {
    let start = TimeSource.system.steady()
    for _ in 0..<repetitions { try workload.run() }
    return (TimeSource.system.steady() - start) / Double(repetitions)
  }
}

extension JSONEncoder {
  static var snakeCase: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}

extension JSONDecoder {
  static var snakeCase: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
  }
}
