import Base
import Models
import Networks
import Training
import WeightFiles

extension WeightSource {
  /// Takes over the weights of this source, all of them, whoever named them.
  /// - Parameters:
  ///   - title: the network's name for messages.
  ///   - part: the part of a checkpoint that holds them.
  /// - Throws: `.badData` if names or shapes do not fit or a number is not finite, and the failures of reading.
  public func load(into model: some PublishedModel, title: String, part: String = WeightFile.standardPart) throws {
    let (file, state) = try read(part: part, note: { StandardStreams.complain("\($0)\n") })
    try Self.load(state, into: model, title: title, from: file)
  }

  /// Takes over arrays that were read, all of them.
  /// - Throws: `.badData` if names or shapes do not fit or a number is not finite.
  static func load(_ state: StateDictionary, into model: some PublishedModel, title: String, from file: String) throws {
    try requireFit(state, model, title: title, from: file)
    try model.load(type(of: model).official(state, from: file), from: file)
    if let broken = model.parameters().first(where: { !$0.parameter.value.isFinite }) {
      throw Failure(.badData, at: file, "the parameter '\(broken.name)' holds infinities or NaN",
                    remedy: "The training that made it diverged.")
    }
  }

  /// Compares the arrays of a file with a network.
  /// - Throws: `.badData` that names what does not fit, and the published variant whose arrays these are, if there is one.
  static func requireFit(_ state: StateDictionary, _ model: some PublishedModel, title: String, from file: String) throws {
    let incompatibleKeys = try model.incompatibleKeys(of: type(of: model).official(state, from: file))
    guard !incompatibleKeys.isEmpty else { return }
    let failure = incompatibleKeys.failure(title, at: file)
    guard let variant = PublishedModels.variant(of: state) else { throw failure }
    throw failure.told(remedy: "By names and shapes these are weights of \(variant.name): choose that variant, or other weights.")
  }
}

extension StageTraining where Model: PublishedModel {
  public static func requireFit(_ state: StateDictionary, _ model: Model, from origin: String) throws {
    try WeightSource.requireFit(state, model, title: Model.title, from: origin)
  }

  public static func canonical(_ state: StateDictionary, from origin: String) throws -> StateDictionary {
    try Model.official(state, from: origin)
  }
}
