import Base
import Networks
import Tensors
import Training

/// What a model consists of and costs, read off the graph of one training pass.
public struct ModelSummary: Sendable {
  /// One layer: the ops that use its parameters.
  public struct Layer: Sendable {
    public let name: String
    /// The op and the official shape of its weight.
    public let kind: String
    public let outputShape: [Int]
    /// How often it is used in one pass.
    public var calls: Int
    public let parameters: Int
    /// In all calls together.
    public var multiplyAdds: Int
  }

  public let title: String
  public let layers: [Layer]
  /// Multiply-adds of products without parameters, such as correlations.
  public let otherMultiplyAdds: Int
  /// Official names and shapes of everything in a checkpoint.
  public let entries: [(name: String, shape: [Int])]
  public let parameterCount: Int
  /// Bytes that one training pass needed at most, parameters included.
  public let peakBytes: Int

  public var multiplyAdds: Int { layers.reduce(otherMultiplyAdds) { $0 + $1.multiplyAdds } }

  /// Reads the graph of `loss`, which the module's forward pass recorded.
  public init(title: String, module: some Module, loss: Tensor, entries: [(name: String, shape: [Int])], peakBytes: Int) {
    self.title = title
    self.entries = entries
    self.peakBytes = peakBytes
    parameterCount = module.parameterCount
    let parameters = module.parameters()
    var names: [LeafID: Int] = [:]
    for (i, entry) in parameters.enumerated() { if let id = entry.parameter.value.leafID { names[id] = i } }
    var layers: [Layer] = [], places: [String: Int] = [:], other = 0
    for op in loss.recordedGraph {
      var owners: [(name: String, first: Int)] = []  // several if their weights serve side by side in one product
      for index in op.leaves.compactMap({ names[$0] }) {
        let name = Self.layerName(parameters[index].name)
        if !owners.contains(where: { $0.name == name }) { owners.append((name, index)) }
      }
      if owners.isEmpty { other += op.multiplyAdds }
      for (name, first) in owners {
        let share = op.multiplyAdds / owners.count
        if let place = places[name] {
          layers[place].calls += 1
          layers[place].multiplyAdds += share
          continue
        }
        places[name] = layers.count
        let own = parameters.filter { Self.layerName($0.name) == name }
        let weight = parameters[first].parameter
        layers.append(Layer(
          name: name, kind: "\(op.op.rawValue) \(weight.layout.officialShape(weight.shape))", outputShape: op.shape, calls: 1,
          parameters: own.reduce(0) { $0 + $1.parameter.value.count }, multiplyAdds: share))
      }
    }
    self.layers = layers
    otherMultiplyAdds = other
  }

  /// A parameter's name without its last component.
  private static func layerName(_ name: String) -> String { name.split(separator: ".").dropLast().joined(separator: ".") }

  /// The table that `apus inspect` prints.
  public var table: String {
    var table = TextTable(["layer", "op and weight", "output [n, h, w, c]", "calls", "parameters", "MMAC"], rightAligned: [3, 4, 5])
    for layer in layers {
      table.add([layer.name, layer.kind, "\(layer.outputShape)", "\(layer.calls)", "\(layer.parameters)", Self.millions(layer.multiplyAdds)])
    }
    if otherMultiplyAdds > 0 { table.add(["(products without parameters)", "", "", "", "", Self.millions(otherMultiplyAdds)]) }
    table.add(["total", "", "", "", "\(parameterCount)", Self.millions(multiplyAdds)])
    return "\(title)\n\n\(table.text)\nPeak memory of one training pass: \(peakBytes >> 20) MiB\n"
  }

  /// The names and shapes that `apus inspect --names` prints, one a line.
  public var names: String { entries.map { "\($0.name) \($0.shape)\n" }.joined() }

  private static func millions(_ count: Int) -> String {
    let tenths = (count + 50_000) / 100_000
    return "\(tenths / 10).\(tenths % 10)"
  }
}
