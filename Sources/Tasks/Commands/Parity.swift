import Base
import Networks
import Tensors
import Training
import WeightFiles

/// The arguments of `apus parity`.
public struct ParityRequest: Sendable {
  public var config: ConfigRequest
  public var weights: WeightSource
  /// Safetensors files: the inputs, and where results go.
  public var inputs: String
  public var out: String
  /// Optimiser steps, all on the same inputs; 0: gradients only.
  public var steps = 0
  public var precision = Precision.float32

  public init(config: ConfigRequest, weights: WeightSource, inputs: String, out: String) {
    self.config = config
    self.weights = weights
    self.inputs = inputs
    self.out = out
  }
}

/// A task whose network can be compared with other frameworks on given tensors.
public protocol ParityTask: LearningTask {
  associatedtype Inputs

  /// The tensors of the file, checked, channels last.
  static func inputs(_ file: ParityInputs, _ model: TaskTraining.Model) throws -> Inputs

  /// The updates of one step in their order: one, or two for a pair of networks that train against each other.
  static func phases(_ model: TaskTraining.Model, _ config: Config, _ inputs: Inputs) throws -> [ParityPhase]

  /// A training on the tensors of the file, where it holds those of several steps, and all that is compared of it; nil: `phases` are.
  static func training(_ file: ParityInputs, _ model: TaskTraining.Model, _ config: Config) throws -> [Safetensors.Entry]?
}

extension ParityTask {
  public static func training(_ file: ParityInputs, _ model: TaskTraining.Model, _ config: Config) throws -> [Safetensors.Entry]? { nil }
}

/// One update of a training step.
public struct ParityPhase {
  /// Put before the names of results, with a point behind; empty if there is one phase only.
  public let name: String
  let learner: Learner
  /// Put before the names of the learner's parameters.
  let prefix: String
  let pass: () throws -> ParityPass

  /// - Parameters:
  ///   - learner: what is updated along the gradient of the first loss.
  ///   - prefix: put before the names of its parameters, where these are not the whole network's.
  ///   - pass: the forward pass in training mode, without any randomness.
  public init(_ name: String = "", learner: Learner, prefix: String = "", pass: @escaping () throws -> ParityPass) {
    self.name = name
    self.learner = learner
    self.prefix = prefix
    self.pass = pass
  }
}

/// The results of one forward pass.
public struct ParityPass {
  /// The outputs by name; images as `[n, c, h, w]`.
  public let outputs: [(name: String, value: Tensor)]
  /// The losses by name; the phase learns from the first one.
  public let losses: [(name: String, value: Tensor)]
  /// What else the task compares, under its whole name.
  public let extras: [(name: String, value: Tensor)]

  public init(
    outputs: [(name: String, value: Tensor)], losses: [(name: String, value: Tensor)], extras: [(name: String, value: Tensor)] = []
  ) {
    self.outputs = outputs
    self.losses = losses
    self.extras = extras
  }
}

/// The tensors of a parity file.
public struct ParityInputs {
  private let file: Safetensors
  public let path: String
  public let precision: Precision
  /// All names that the task reads, for messages.
  private let remedy: String

  init(_ file: Safetensors, path: String, precision: Precision, remedy: String) {
    self.file = file
    self.path = path
    self.precision = precision
    self.remedy = remedy
  }

  /// - Parameters:
  ///   - expected: the shape in words, for the failure.
  ///   - fits: whether a shape is right.
  /// - Throws: `.badData` if there is no tensor of this name, its shape is another, or it is empty.
  public func tensor(_ name: String, _ expected: String, _ fits: ([Int]) -> Bool) throws -> Tensor {
    let entry = try entry(name)
    guard entry.shape.allSatisfy({ $0 > 0 }) else {
      throw Failure(.badData, at: "\(path): \(name)", "the tensor of shape \(entry.shape) is empty")
    }
    try requireFit(entry, expected, fits)
    let tensor = entry.tensor ?? Tensor((entry.integers ?? []).map(Double.init), shape: entry.shape, precision: precision)
    return tensor.converted(to: precision)
  }

  /// The numbers of a tensor that may be empty, such as the objects of an image.
  /// - Throws: as `tensor`.
  public func numbers(_ name: String, _ expected: String, _ fits: ([Int]) -> Bool) throws -> (values: [Double], shape: [Int]) {
    let entry = try entry(name)
    try requireFit(entry, expected, fits)
    return (entry.tensor?.doubles ?? (entry.integers ?? []).map(Double.init), entry.shape)
  }

  /// Whether the file has a tensor of this name.
  public func contains(_ name: String) -> Bool { file[name] != nil }

  private func entry(_ name: String) throws -> Safetensors.Entry {
    if let entry = file[name] { return entry }
    let names = file.entries.prefix(8).map(\.name).joined(separator: ", ")
    let rest = file.entries.count > 8 ? ", ... (\(file.entries.count) in all)" : ""
    throw Failure(.badData, at: path, "there is no tensor '\(name)'; found \(names)\(rest)", remedy: remedy)
  }

  private func requireFit(_ entry: Safetensors.Entry, _ expected: String, _ fits: ([Int]) -> Bool) throws {
    guard fits(entry.shape) else {
      throw Failure(.badData, at: "\(path): \(entry.name)", "expected shape \(expected), found \(entry.shape)")
    }
  }

  /// A tensor of this shape; nil stands for any size.
  public func tensor(_ name: String, shape: [Int?]) throws -> Tensor {
    let sizes = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
    return try tensor(name, "[\(sizes)]") { found in found.count == shape.count && zip(found, shape).allSatisfy { $1 == nil || $0 == $1 } }
  }
}

extension LearningTask {
  /// Outputs, losses, gradients and updated parameters for the tensors of a file, for comparison with other frameworks.
  /// - Throws: `.usage` if the task has no such comparison, `.badData` for inputs that do not fit, and the failures of reading and writing.
  public static func parity(_ request: ParityRequest) throws {
    guard let task = Self.self as? any ParityTask.Type else {
      throw Failure(.usage, at: request.config.path, "the task of this config takes no tensors of a file")
    }
    try task.compare(request)
  }
}

extension ParityTask {
  fileprivate static func compare(_ request: ParityRequest) throws {
    let config = try load(request.config).value
    guard (0...1_000_000).contains(request.steps) else {
      throw Failure(.usage, at: "--steps", "\(request.steps) is out of range, expected 0 or more, at most 1000000")
    }
    let network = try TaskTraining.model(config)
    network.convert(to: request.precision)
    let (weights, state) = try request.weights.read()
    try TaskTraining.requireFit(state, network, from: weights)
    _ = try Initialization(from: weights).apply(TaskTraining.canonical(state, from: weights), to: network, from: weights)
    let file = ParityInputs(
      try Safetensors(at: request.inputs), path: request.inputs, precision: request.precision, remedy: help.parityInputs)
    if let entries = try training(file, network, config) { return try Safetensors(entries).write(to: request.out) }
    let phases = try phases(network, config, inputs(file, network))
    var entries: [Safetensors.Entry] = []
    for step in 0..<max(request.steps, 1) {
      for phase in phases {
        let pass = try phase.pass()
        let gradients = phase.learner.gradients(of: pass.losses[0].value)
        if step == 0 { entries += results(of: phase, pass, gradients) }
        if request.steps > 0 { try phase.learner.apply(gradients, at: step) }
      }
    }
    if request.steps > 0 {
      entries += network.parameters().map { .init("param.\($0)", $1.layout.official($1.value)) }
      entries += network.buffers().map { .init("buffer.\($0)", $1.layout.official($1.value)) }
    }
    try Safetensors(entries).write(to: request.out)
  }

  private static func results(of phase: ParityPhase, _ pass: ParityPass, _ gradients: Gradients) -> [Safetensors.Entry] {
    let prefix = phase.name.isEmpty ? "" : "\(phase.name)."
    return pass.outputs.map { .init("output.\(prefix)\($0)", $1.detached()) }
      + pass.losses.map { .init("loss.\(prefix)\($0)", $1.detached()) }
      + phase.learner.module.parameters().compactMap { name, parameter in
        gradients[parameter].map { .init("grad.\(prefix)\(phase.prefix)\(name)", parameter.layout.official($0)) }
      } + pass.extras.map { .init($0, $1.detached()) }
  }
}
