import Tensors

/// A part of a network: a struct of `let`s that holds parameters, buffers and further modules.
///
/// Names in checkpoints follow from the names of the properties, so they are written once:
/// ```swift
/// struct Head: Module {           // names: conv1.weight, conv1.bias, out_proj.weight, out_proj.bias
///   let conv1: Conv2d
///   let outProj: Linear?
/// }
/// ```
/// Optionals and enum payloads take the name of their property, elements of arrays their index. Numbers, strings, closures and other
/// values without layers are passed over. A dictionary, tuple, class or plain struct with layers inside would lose them, so it traps.
public protocol Module {
  /// The name component that official checkpoints use for a property, where the property's own name in snake case is not it;
  /// several components are joined by dots, the empty string leaves the component out.
  static var checkpointNames: [String: String] { get }
}

/// An element of an array of modules that official checkpoints know by a name of its own: `fc0` rather than `fc.0`.
public struct Named<Part: Module>: Module {
  public static var checkpointNames: [String: String] { ["module": ""] }

  public let name: String
  public let module: Part

  public init(_ name: String, _ module: Part) { (self.name, self.module) = (name, module) }
}

protocol NamedModule { var name: String { get } }

extension Named: NamedModule {}

extension Module {
  public static var checkpointNames: [String: String] { [:] }

  /// All trained tensors with their official names, in the order of declaration; shared ones once, under their first name.
  public func parameters() -> [(name: String, parameter: Parameter)] {
    ModuleWalk(self).leaves.compactMap { leaf in
      if case .parameter(let parameter) = leaf.leaf { (leaf.name, parameter) } else { nil }
    }
  }

  /// All untrained tensors with their official names, in the order of declaration; shared ones once, under their first name.
  public func buffers() -> [(name: String, buffer: Buffer)] {
    ModuleWalk(self).leaves.compactMap { leaf in
      if case .buffer(let buffer) = leaf.leaf { (leaf.name, buffer) } else { nil }
    }
  }

  /// The number of trained numbers.
  public var parameterCount: Int { parameters().reduce(0) { $0 + $1.parameter.value.count } }

  /// Replaces every parameter and buffer by the same numbers in another precision.
  public func convert(to precision: Precision) {
    for (_, parameter) in parameters() { parameter.value = parameter.value.detached().converted(to: precision) }
    for (_, buffer) in buffers() { buffer.value = buffer.value.converted(to: precision) }
  }

  /// Lets the batch normalisations whose names fit one of the patterns normalise by their running statistics in training too, and leave
  /// these alone (or, with `false`, no longer); `*` stands for any text. Their weights and biases still train: see `freeze`.
  /// ```swift
  /// try detector.freezeStatistics(["backbone.*"])
  /// ```
  /// - Throws: `.usage` if a pattern fits no layer with running statistics.
  public func freezeStatistics(_ patterns: [String], _ isFrozen: Bool = true) throws {
    let suffixes = ["running_mean", "running_var"]
    let statistics = buffers().compactMap { name, buffer -> (name: String, parameter: Buffer)? in
      var path = name.split(separator: ".")
      guard let last = path.popLast(), suffixes.contains(String(last)) else { return nil }
      return (path.joined(separator: "."), buffer)
    }
    for pattern in patterns {
      for (_, buffer) in try NamePattern(pattern).select(statistics, of: "layer with running statistics") { buffer.isFrozen = isFrozen }
    }
  }

  /// Stops (or, with `false`, resumes) the training of all parameters whose names fit one of the patterns; `*` stands for any text.
  /// - Throws: `.usage` if a pattern fits no parameter.
  public func freeze(_ patterns: [String], _ isFrozen: Bool = true) throws {
    let parameters = parameters()
    for pattern in patterns {
      let chosen = try NamePattern(pattern).select(parameters)
      for (_, parameter) in chosen { parameter.isFrozen = isFrozen }
    }
  }
}
