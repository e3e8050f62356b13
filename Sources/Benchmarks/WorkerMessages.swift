import Tensors

/// A request to a worker: one line of JSON on its standard input. Both sides speak the same protocol.
struct WorkerRequest: Encodable {
  enum Action: String, Codable {
    /// Build a benchmark, choose the fastest variant, warm up.
    case prepare
    /// Repeat it, after one repetition that does not count.
    case run
    /// The most memory that this process has while it repeats the benchmark three times.
    case memory
    /// The peak of the processor (our side only).
    case peak
  }

  var action: Action
  /// Prepare: the benchmark by name (our side) and by kind and sizes (the other side).
  var benchmark: BenchmarkCase?
  var precision = MatmulPrecision.highest
  /// Prepare: the variant to use. Empty: PyTorch's side tries all, ours takes what a program takes.
  var variant = ""
  /// Run: how often.
  var repetitions = 1

  private enum Key: String, CodingKey { case action, name, kind, sizes, precision, variant, repetitions }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: Key.self)
    try fields.encode(action, forKey: .action)
    try fields.encode(repetitions, forKey: .repetitions)
    guard let benchmark else { return }
    try fields.encode(benchmark.name, forKey: .name)
    try fields.encode(type(of: benchmark.workload).kind, forKey: .kind)
    try benchmark.workload.encode(to: fields.superEncoder(forKey: .sizes))
    try fields.encode(precision, forKey: .precision)
    try fields.encode(variant, forKey: .variant)
  }
}

/// A request as our worker reads it.
struct ReceivedRequest: Decodable {
  let action: WorkerRequest.Action
  let repetitions: Int
  let name: String?
  let precision: MatmulPrecision?
  let variant: String?
}

/// A worker's answer: one line of JSON on its standard output. A worker's first line answers no request; it says what it is.
struct WorkerReply: Codable {
  /// Why the request failed; all else is absent then.
  var error: String?
  /// First line: the version of the framework, and the instruction set of our kernels.
  var version: String?
  var isa: String?
  /// Prepare: what is used now, the operations of one repetition (our side), and what a reader should know.
  var variant: String?
  var precision: String?
  var operations: Double?
  var notes: [String]?
  /// Prepare and run: seconds of one repetition.
  var seconds: Double?
  /// Memory: MiB.
  var peakMebibytes: Double?
  /// Peak: operations per second.
  var peak: Double?
}
