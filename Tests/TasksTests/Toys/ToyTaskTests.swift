import Base
import Foundation
import Networks
import Tasks
import Tensors
import Testing
import TestSupport
import Training
import WeightFiles

/// A folder with a config, where a task trains.
final class ToyPlace {
  let folder: String
  private let isOwner: Bool
  var config: ConfigRequest { ConfigRequest("\(folder)/toy.yaml") }
  var run: String { "\(folder)/run" }

  init(_ yaml: String) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "toy-\(UUID().uuidString)").path(percentEncoded: false)
    isOwner = true
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try AtomicFile.write(yaml, to: config.path)
  }

  /// The same folder in a child process.
  init(existing folder: String) {
    self.folder = folder
    isOwner = false
  }

  deinit { if isOwner { try? FileManager.default.removeItem(atPath: folder) } }

  /// Starts or continues the run.
  func train<T: LearningTask>(_ task: T.Type) throws {
    var request = TrainingRequest(config: config)
    request.workDirectory = run
    request.resume = .auto
    let quiet = Console(.none, terminal: .init(isTerminal: false, hasColour: false, isUnicode: false, width: { 80 }, write: { _ in }))
    guard case .run(.completed) = try task.train(request, console: quiet) else { throw Failure(.usage, at: run, "the run was not completed") }
  }

  func text(_ name: String) throws -> String { try File.text(at: "\(run)/\(name)") }
  func bytes(_ step: Int, _ name: String) throws -> [UInt8] { try File.bytes(at: "\(run)/checkpoints/\(CheckpointStore.folderName(step: step))/\(name)") }
  func state(_ step: Int, _ part: String) throws -> Safetensors { try Safetensors(bytes: bytes(step, "\(part).safetensors"), name: part) }

  /// The cells of a column of `metrics.csv` with the rows' split and step in front.
  func column(_ name: String) throws -> [String] {
    let rows = try text("metrics.csv").split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    guard let index = rows[0].firstIndex(of: Substring(name)) else { return [] }
    return rows.dropFirst().map { "\($0[0])\($0[1]):\($0[index])" }
  }
}

/// Tasks that no line of the library knows, run by the very functions that the command line calls.
@Suite(.serialized) struct ToyTaskTests {
  // MARK: Two networks against each other

  private static let adversarial = "plan: {steps: 14, log_every: 1, evaluate_every: 5, save_every: 4, keep_last: 9}\n"
  private static let adversarialFiles = ["model.safetensors", "optimizer.safetensors", "optimizer_d.safetensors", "ema.safetensors", "state.json"]

  @Test func metricsThatSomeStepsLack() throws {
    let place = try ToyPlace(Self.adversarial)
    try place.train(AdversarialToy.self)
    let header = try place.text("metrics.csv").prefix { $0 != "\n" }
    #expect(header == "split,step,epoch,lr,lr_d,loss_g,loss_d,r1,grad_norm_g,grad_norm_d,distance")
    let penalties = try place.column("r1").filter { $0.hasPrefix("train") }
    for (index, cell) in penalties.enumerated() {
      #expect(cell.hasSuffix(":") == (index % 3 != 0), "the penalty is taken every third step: \(cell)")
    }
    #expect(try place.column("distance").filter { !$0.hasSuffix(":") }.map { $0.prefix { $0 != ":" } } == ["val5", "val10", "val14"])
    // The averaged copy is another network than the one that trains.
    #expect(try place.state(14, "ema")["hidden.weight"] != nil && place.state(14, "model")["generator.hidden.weight"] != nil)
    #expect(try place.state(14, "ema")["hidden.weight"]?.tensor?.floats != place.state(14, "model")["generator.hidden.weight"]?.tensor?.floats)
    // Each network has an optimiser of its own, and the discriminator's makes the penalty's updates too.
    #expect(try place.state(14, "optimizer").metadata["step"] == "14" && place.state(14, "optimizer_d").metadata["step"] == "19")
  }

  @Test func aKilledPairContinuesToTheSameBits() async throws {
    let (whole, cut) = (try ToyPlace(Self.adversarial), try ToyPlace(Self.adversarial))
    try whole.train(AdversarialToy.self)
    for count in [21, 33, 20] {
      await #expect(processExitsWith: .signal(SIGKILL)) { [folder = cut.folder as String, count = count as Int] in
        ToyFate.killProcess(afterReading: count)
        try ToyPlace(existing: folder).train(AdversarialToy.self)
      }
    }
    try cut.train(AdversarialToy.self)
    for name in Self.adversarialFiles { #expect(try cut.bytes(14, name) == whole.bytes(14, name), "\(name)") }
    #expect(try cut.text("metrics.csv") == whole.text("metrics.csv"))
    #expect(try cut.text("best_checkpoint") == whole.text("best_checkpoint"))
  }

  @Test func theAveragedCopyIsJudgedAndConverted() throws {
    let place = try ToyPlace(Self.adversarial)
    try place.train(AdversarialToy.self)
    let checkpoint = "\(place.run)/checkpoints/\(CheckpointStore.folderName(step: 14))"
    var request = EvaluationRequest(config: place.config, weights: WeightSource(checkpoint))
    #expect(try AdversarialToy.evaluate(request).contains("mean distance from the ring"))
    request.isJSON = true
    let logged = try #require(try place.column("distance").last?.split(separator: ":").last)
    #expect(try AdversarialToy.evaluate(request) == "{\"distance\": \(logged)}\n")

    var conversion = WeightConversion(input: WeightSource(checkpoint))
    conversion.model = try AdversarialToy.weightModel(place.config)
    conversion.output = "\(place.folder)/generator.safetensors"
    #expect(try conversion.run { _ in }.contains("4 arrays"))
    #expect(try Safetensors(at: "\(place.folder)/generator.safetensors")["out.weight"]?.tensor?.floats
            == place.state(14, "ema")["out.weight"]?.tensor?.floats)
  }

  @Test func parityHasAPhaseForEachNetwork() throws {
    let place = try ToyPlace(Self.adversarial)
    try place.train(AdversarialToy.self)
    var random = Random(seed: 1, stream: .test)
    try Safetensors([.init("noise", .normal([5, 3], &random)), .init("real", .normal([5, 2], &random))]).write(to: "\(place.folder)/in.safetensors")
    var request = ParityRequest(config: place.config, weights: WeightSource(place.run), inputs: "\(place.folder)/in.safetensors",
                                out: "\(place.folder)/out.safetensors")
    request.steps = 2
    request.precision = .float64
    try AdversarialToy.parity(request)
    let out = try Safetensors(at: request.out)
    for name in ["output.discriminator.fake", "loss.discriminator.total", "loss.generator.total", "grad.discriminator.hidden.weight",
                 "grad.generator.out.bias", "param.generator.hidden.weight", "param.discriminator.out.weight"] {
      #expect(out[name]?.tensor?.precision == .float64, "\(name)")
    }
    // The update of one network computes no gradient of the other.
    #expect(out.entries.count { $0.name.hasPrefix("grad.") } == 8)
  }

  // MARK: Stages, groups, a metric of the whole set

  private static let ranking = """
    optimizer:
      kind: sgd
      learning_rate: 0.05
      groups: [{match: trunk.*, lr_mult: 0.1, name: trunk}]
    plan: {log_every: 2, evaluate_every: 3, save_every: 5, keep_last: 20}
    stages:
    - {name: base, steps: 7}
    - name: refined
      epochs: 2
      model: {second: true}
      initialize:
        from: FOLDER/old.safetensors
        rename: [{from: old., to: second.}]
        include: [second.*]
        strict: false
      optimizer: {kind: adamw, learning_rate: 0.01, groups: [{match: second.*}, {match: "*", freeze: true}]}

    """

  /// A place with a file that fits the second head in part: its weight, but not its bias.
  private static func rankingPlace() throws -> ToyPlace {
    let place = try ToyPlace("")
    try AtomicFile.write(ranking.replacing("FOLDER", with: place.folder), to: place.config.path)
    try Safetensors([.init("old.weight", Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [1, 6])), .init("old.bias", .zeros([3])),
                     .init("classifier.weight", .zeros([2, 2]))]).write(to: "\(place.folder)/old.safetensors")
    return place
  }

  @Test func theSecondStageAddsAHeadAndFreezesTheRest() throws {
    let place = try Self.rankingPlace()
    try place.train(RankingToy.self)
    let (first, second) = (try place.state(7, "model"), try place.state(15, "model"))  // two epochs of four steps
    #expect(first["second.weight"] == nil && second["second.weight"] != nil)
    for name in ["trunk.weight", "trunk.bias", "head.weight", "head.bias"] {
      #expect(first[name]?.tensor?.floats == second[name]?.tensor?.floats, "\(name) is frozen")
    }
    let weight = try #require(second["second.weight"]?.tensor?.floats)
    #expect(zip(weight, [1, 2, 3, 4, 5, 6]).allSatisfy { abs($0 - $1) < 0.1 } && weight != [1, 2, 3, 4, 5, 6], "it began with the file's")
    let log = try place.text("train.log")
    #expect(log.contains("stages.1.initialize: 1 of 6 arrays taken from \(place.folder)/old.safetensors"))
    #expect(log.contains("stages.1.initialize: 5 arrays keep their values: trunk.weight, trunk.bias, head.weight, head.bias, second.bias"))
    #expect(log.contains("stages.1.initialize: 2 arrays of the file are not used: classifier.weight, second.bias"))
    #expect(log.contains("stage 'refined': 2 arrays keep their values: second.weight, second.bias"))
    #expect(log.contains("stage 'refined' (2 of 2): steps 8 to 15"))
  }

  @Test func learningRatesOfGroupsAreLogged() throws {
    let place = try Self.rankingPlace()
    try place.train(RankingToy.self)
    #expect(try place.text("metrics.csv").hasPrefix("split,step,epoch,lr,lr_trunk,loss,grad_norm,ap\n"))
    #expect(try place.column("lr")[0] == "train2:0.05" && place.column("lr_trunk")[0].hasPrefix("train2:0.005"))
    let later = try place.column("lr_trunk").filter { $0.hasPrefix("train15") || $0.hasPrefix("train10") }
    #expect(later == ["train10:", "train15:"], "the second stage has no such group")
  }

  @Test func aMetricOfTheWholeSetDecidesWhichIsBest() throws {
    let place = try Self.rankingPlace()
    try place.train(RankingToy.self)
    let scores = try place.column("ap").filter { $0.hasPrefix("val") }.map { $0.split(separator: ":") }
    #expect(scores.map { String($0[0]) } == ["val3", "val6", "val7", "val9", "val12", "val15"])
    let late = scores.dropFirst(3)  // the best is that of the latest stage
    let best = try #require(late.max { (Double($0[1]) ?? 0) < (Double($1[1]) ?? 0) })
    let step = try #require(late.first { $0[1] == best[1] }?[0].dropFirst(3))
    #expect(try place.text("best_checkpoint").contains("step_\(String(repeating: "0", count: 8 - step.count))\(step)"))
    let source = WeightSource("\(place.run)/checkpoints/\(CheckpointStore.folderName(step: 15))")
    var request = EvaluationRequest(config: place.config, weights: source)
    request.config.overrides = [try ConfigOverride(setting: "model.second=true"), try ConfigOverride(setting: "workers=3")]
    request.isJSON = true
    #expect(try RankingToy.evaluate(request) == "{\"ap\": \(scores[5][1])}\n")
  }

  @Test func aKilledRunOfStagesContinuesToTheSameBits() async throws {
    let (whole, cut) = (try Self.rankingPlace(), try Self.rankingPlace())
    try whole.train(RankingToy.self)
    for count in [40, 75, 90] {
      await #expect(processExitsWith: .signal(SIGKILL)) { [folder = cut.folder as String, count = count as Int] in
        ToyFate.killProcess(afterReading: count)
        try ToyPlace(existing: folder).train(RankingToy.self)
      }
    }
    try cut.train(RankingToy.self)
    for name in ["model.safetensors", "optimizer.safetensors", "state.json"] { #expect(try cut.bytes(15, name) == whole.bytes(15, name), "\(name)") }
    #expect(try cut.text("metrics.csv") == whole.text("metrics.csv"))
  }

  /// A run that continues has weights of its own: the file that it began with may be gone, but not one that a later stage will begin with.
  @Test func aResumeReadsNoWeightsToBeginWith() throws {
    let old = try ToyPlace(Self.adversarial)
    try old.train(AdversarialToy.self)
    let place = try ToyPlace("")
    let start = "\(place.folder)/start.safetensors"
    func write(steps: Int) throws { try AtomicFile.write("initialize: {from: \(start)}\nplan: {steps: \(steps)}\n", to: place.config.path) }
    try write(steps: 3)
    expectFailure(.missingInput, start) { try place.train(AdversarialToy.self) }
    #expect(!FileManager.default.fileExists(atPath: place.run), "a run that cannot begin leaves no folder")
    try AtomicFile.write(old.bytes(14, "model.safetensors"), to: start)
    try place.train(AdversarialToy.self)
    #expect(try place.text("train.log").contains("arrays taken from \(start)"))
    try FileManager.default.removeItem(atPath: start)
    try write(steps: 5)
    try place.train(AdversarialToy.self)
    #expect(try place.state(5, "optimizer").metadata["step"] == "5")

    let staged = try Self.rankingPlace()
    try staged.train(RankingToy.self)
    let file = "\(staged.folder)/old.safetensors"
    let bytes = try File.bytes(at: file)
    try FileManager.default.removeItem(atPath: file)
    func resume(from step: Int, in run: String) throws {
      var request = TrainingRequest(config: staged.config)
      request.workDirectory = "\(staged.folder)/\(run)"
      request.resume = .from("\(staged.run)/checkpoints/\(CheckpointStore.folderName(step: step))")
      _ = try RankingToy.train(request, console: Console(.none))
    }
    try resume(from: 10, in: "in-the-second")
    expectFailure(.missingInput, file) { try resume(from: 5, in: "in-the-first") }
    try AtomicFile.write(bytes, to: file)
    try resume(from: 5, in: "in-the-first")
    #expect(try File.bytes(at: "\(staged.folder)/in-the-first/metrics.csv").isEmpty == false)
  }

  @Test func whatIsWrongWithALaterStageIsToldAtTheStart() throws {
    let place = try Self.rankingPlace()
    func failure(_ setting: String) throws -> String {
      var request = TrainingRequest(config: place.config)
      request.config.overrides = [try ConfigOverride(setting: setting)]
      request.workDirectory = place.run
      do {
        _ = try RankingToy.train(request, console: Console(.none))
        return "none"
      } catch {
        return "\(error)"
      }
    }
    #expect(try failure("stages.1.optimizer.freeze=[nix.*]").hasPrefix("stages.1.optimizer.freeze: no parameter is named like 'nix.*'"))
    #expect(try failure("stages.1.initialize.from=nix.safetensors").contains("nix.safetensors: there is no such"))
    #expect(try failure("stages.1.initialize.strict=true").contains("the arrays do not fit"))
    #expect(try failure("stages.1.initialize.include=[third.*]").hasPrefix("stages.1.initialize.include: no array of the network is named like"))
    #expect(!FileManager.default.fileExists(atPath: place.run))
  }
}
