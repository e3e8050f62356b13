import Base
import Foundation
import Tensors
import Training

/// Runs both sides of the benchmarks in turn, each in a process of its own.
///
/// A round is one turn of ours and one of PyTorch's, so that whatever slows the machine down for a while meets both. Who is not on turn
/// waits for its next request.
public struct BenchmarkRunner {
  public struct Options: Sendable {
    public var rounds = 11
    public var threads = ProcessInfo.processInfo.activeProcessorCount
    public var precision = MatmulPrecision.highest
    public var usesTorch = true
    /// Whether PyTorch may compile: minutes for a large graph.
    public var compiles = true
    /// The interpreter: a path, or a name to look up.
    public var python = "python3"

    public init() {}
  }

  /// The least length of a turn in seconds.
  private static let turn = 0.2
  /// Seconds before a turn, in which the other side's threads stop looking for work.
  private static let pause = 0.05

  private let options: Options
  /// The arguments that start this program as a worker.
  private let workerCommand: [String]
  /// The arguments that start this program as a busy neighbour.
  private let neighbourCommand: [String]

  public init(_ options: Options, workerCommand: [String], neighbourCommand: [String]) {
    (self.options, self.workerCommand, self.neighbourCommand) = (options, workerCommand, neighbourCommand)
  }

  /// - Parameter progress: told the name of the case that begins, and how many are done.
  public func run(_ cases: [BenchmarkCase], progress: (String, Int) -> Void) throws -> BenchmarkReport {
    var report = try emptyReport()
    var torch: TorchBaseline?
    if options.usesTorch {
      do { torch = try TorchBaseline(python: options.python, threads: options.threads, compiles: options.compiles) } catch {
        report.torchMissing = "\(error)"
      }
    } else {
      report.torchMissing = "not asked for"
    }
    report.torch = torch?.version
    for (i, item) in cases.enumerated() {
      report.peakGflops = max(report.peakGflops, try peak())  // often, because whatever else runs can only lower it
      progress(item.name, i)
      do {
        report.cases.append(try measure(item, &torch))
      } catch let failure as Failure where !item.environment.isEmpty {
        report.skipped.append(.init(name: item.name, reason: "\(failure)"))
      }
    }
    report.peakGflops = max(report.peakGflops, try peak())
    report.addShares()
    report.addGroups(cases)
    return report
  }

  /// The processor's peak, 10⁹ operations per second.
  private func peak() throws -> Double { try WorkerProcess(workerCommand).ask(WorkerRequest(action: .peak)).peak.map { $0 / 1e9 } ?? 0 }

  private func emptyReport() throws -> BenchmarkReport {
    let isa = try WorkerProcess(workerCommand).hello.isa ?? ""
    let facts = EnvironmentInfo.gathered(isa: isa, threads: options.threads)
    return BenchmarkReport(
      cpu: facts.cpu, cores: facts.cores, threads: options.threads, isa: isa, precision: options.precision, rounds: options.rounds,
      peakGflops: 0)
  }
}

// MARK: - One case

extension BenchmarkRunner {
  /// The times of both sides in every round.
  private struct Rounds {
    var ours: [Double] = []
    var torch: [Double] = []
    /// Of each alternative.
    var others: [[Double]] = []
    /// Processor time that resting workers used, in seconds.
    var disturbance = 0.0
    /// How long they rested, in seconds.
    var rest = 0.0
  }

  private func measure(_ item: BenchmarkCase, _ torch: inout TorchBaseline?) throws -> BenchmarkReport.Case {
    let ours = try WorkerProcess(workerCommand, environment: item.environment)
    let own = try ours.ask(request(.prepare, item))
    var notes: [String] = []
    var other: WorkerProcess?
    var choice: TorchBaseline.Choice?
    if torch != nil {
      do { (other, choice) = try prepareTorch(item, &torch) } catch { notes.append("PyTorch failed: \(error)") }
    }
    let isa = ours.hello.isa ?? ""
    let operations = own.operations ?? 0
    let repetitions = Int(max(1, (Self.turn / (own.seconds ?? 1)).rounded(.up)))
    let alternatives = try item.workload.alternatives.map { variant in
      let worker = try WorkerProcess(workerCommand, environment: item.environment)
      _ = try worker.ask(request(.prepare, item, variant: variant))
      return worker
    }
    let rounds = try withNeighbour(item.hasNeighbour) { try alternate(ours, other, alternatives, repetitions) }
    other = nil
    let ownMemory = item.measuresMemory ? try memory(of: WorkerProcess(workerCommand, environment: item.environment), item) : nil
    if let torch, let known = choice, item.measuresMemory, known.peakMebibytes == nil {
      choice?.peakMebibytes = try memory(of: torch.worker(), item, variant: known.variant)
    }
    if let choice { try torch?.remember(choice, for: item) }
    if own.precision != options.precision.rawValue { notes.append("our products ran with precision \(own.precision ?? "unknown")") }
    if rounds.disturbance > 0.03 * rounds.rest {
      notes.append("the resting side used \(Int((100 * rounds.disturbance / rounds.rest).rounded())) % of a core")
    }
    func side(_ variant: String, _ precision: String, _ seconds: [Double], _ memory: Double?) -> BenchmarkReport.Side {
      .init(variant: variant, precision: precision, rounds: seconds, operations: operations, peakMebibytes: memory)
    }
    return BenchmarkReport.Case(
      name: item.name, summary: item.summary, gflop: operations / 1e9, repetitions: repetitions,
      ours: side(isa, own.precision ?? "", rounds.ours, ownMemory),
      torch: choice.map { side($0.variant, options.precision.rawValue, rounds.torch, $0.peakMebibytes) },
      ratio: choice.map { _ in .init(ours: rounds.ours, torch: rounds.torch) },
      alternatives: zip(item.workload.alternatives, rounds.others).map { side($0, own.precision ?? "", $1, nil) },
      notes: notes + (choice?.notes ?? []))
  }

  private func request(_ action: WorkerRequest.Action, _ item: BenchmarkCase, variant: String = "") -> WorkerRequest {
    WorkerRequest(action: action, benchmark: item, precision: options.precision, variant: variant)
  }

  /// A worker that runs the fastest variant: the one chosen earlier for this workload, or after trying all.
  private func prepareTorch(_ item: BenchmarkCase, _ torch: inout TorchBaseline?) throws -> (WorkerProcess?, TorchBaseline.Choice?) {
    guard let side = torch else { return (nil, nil) }
    let worker = try side.worker()
    let known = try side.choice(for: item)
    let reply = try worker.ask(request(.prepare, item, variant: known?.variant ?? ""))
    return (worker, known ?? TorchBaseline.Choice(variant: reply.variant ?? "", notes: reply.notes ?? []))
  }

  private func alternate(
    _ ours: WorkerProcess, _ torch: WorkerProcess?, _ alternatives: [WorkerProcess], _ repetitions: Int
  ) throws -> Rounds {
    var rounds = Rounds(others: alternatives.map { _ in [] })
    func turn(_ active: WorkerProcess, _ resting: WorkerProcess?) throws -> Double {
      usleep(UInt32(Self.pause * 1e6))
      let before = resting?.processorSeconds ?? 0
      let start = TimeSource.system.steady()
      let reply = try active.ask(WorkerRequest(action: .run, repetitions: repetitions))
      rounds.disturbance += (resting?.processorSeconds ?? 0) - before
      rounds.rest += TimeSource.system.steady() - start
      guard let seconds = reply.seconds else { throw Failure(.inputOutput, at: "", "a worker gave no time") }
      return seconds
    }
    for _ in 0..<options.rounds {
      rounds.ours.append(try turn(ours, torch))
      if let torch { rounds.torch.append(try turn(torch, ours)) }
      for (i, worker) in alternatives.enumerated() { rounds.others[i].append(try turn(worker, ours)) }
    }
    return rounds
  }

  /// The peak memory of a worker that does nothing but this case, MiB.
  private func memory(of worker: WorkerProcess, _ item: BenchmarkCase, variant: String = "") throws -> Double? {
    _ = try worker.ask(request(.prepare, item, variant: variant))
    return try worker.ask(WorkerRequest(action: .memory)).peakMebibytes
  }

  private func withNeighbour<Result>(_ hasNeighbour: Bool, _ body: () throws -> Result) throws -> Result {
    guard hasNeighbour else { return try body() }
    let neighbour = Process()
    neighbour.executableURL = URL(filePath: neighbourCommand[0])
    neighbour.arguments = Array(neighbourCommand.dropFirst())
    try neighbour.run()
    defer {
      neighbour.terminate()
      neighbour.waitUntilExit()
    }
    return try body()
  }
}

extension BenchmarkReport {
  fileprivate mutating func addShares() {
    guard peakGflops > 0 else { return }
    for i in cases.indices {
      cases[i].ours.compare(withPeak: peakGflops)
      cases[i].torch?.compare(withPeak: peakGflops)
      for j in cases[i].alternatives.indices { cases[i].alternatives[j].compare(withPeak: peakGflops) }
    }
  }

  /// The mean of every group of which all cases ran on both sides.
  fileprivate mutating func addGroups(_ selected: [BenchmarkCase]) {
    for name in Set(selected.map(\.group)).subtracting([""]).sorted() {
      let members = BenchmarkCase.all.filter { $0.group == name }.map(\.name)
      let ratios = cases.filter { members.contains($0.name) }.compactMap { $0.ratio?.ofMedians }
      if ratios.count == members.count { groups.append(Group(name: name, ratio: Statistics.geometricMean(ratios))) }
    }
  }
}
