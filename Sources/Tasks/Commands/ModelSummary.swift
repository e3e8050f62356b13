import Base
import Networks
import Tensors
import Training

/// The layers of a network, their sizes and costs, and the memory of a batch, read off the graph of one training pass.
public struct ModelSummary: Sendable {
  /// One layer: the ops that use its parameters.
  public struct Layer: Sendable {
    public let name: String
    /// The op and the official shape of its weight.
    public let kind: String
    public let outputShape: [Int]
    /// Uses in one pass.
    public var calls: Int
    public let parameters: Int
    /// In all calls together.
    public var multiplyAdds: Int
    /// The algorithm of its products on this machine; empty where it has none.
    public let algorithm: String
  }

  public let title: String
  /// The batch of the config; the layers are those of one sample.
  public let batch: InputShape
  public let layers: [Layer]
  /// Multiply-adds of products without parameters, such as correlations.
  public let otherMultiplyAdds: Int
  public let parameterCount: Int
  /// The most bytes that one training pass over one sample needed, parameters included.
  public let peakBytes: Int
  /// The part of it that does not grow with the batch.
  public let fixedBytes: Int

  public var multiplyAdds: Int { layers.reduce(otherMultiplyAdds) { $0 + $1.multiplyAdds } }

  /// Bytes that a training pass over the batch of the config needs at most.
  public var batchBytes: Double { Double(fixedBytes) + Double(batch.samples) * Double(max(0, peakBytes - fixedBytes)) }

  /// Runs a training pass over one sample for its memory, and another forward pass for its graph.
  /// - Parameters:
  ///   - batch: the batch of the config, for its memory.
  ///   - fixedBytes: what a pass needs whatever the number of samples.
  ///   - loss: the pass.
  public init(measuring module: some Module, title: String, batch: InputShape, fixedBytes: Int, loss: () -> Tensor) {
    self.title = "\(title), one of a batch of \(batch)"
    self.batch = batch
    self.fixedBytes = fixedBytes
    peakBytes = MemoryEstimate.peak { _ = loss().gradients() }
    parameterCount = module.parameterCount
    (layers, otherMultiplyAdds) = Self.layers(of: module, in: loss().recordedGraph)
  }

  private static func layers(of module: some Module, in graph: [RecordedOp]) -> (layers: [Layer], others: Int) {
    let parameters = module.parameters()
    var names: [LeafID: Int] = [:]
    for (i, entry) in parameters.enumerated() { if let id = entry.parameter.value.leafID { names[id] = i } }
    var layers: [Layer] = []
    var places: [String: Int] = [:]
    var other = 0
    for op in graph {
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
          parameters: own.reduce(0) { $0 + $1.parameter.value.count }, multiplyAdds: share,
          algorithm: op.algorithm))
      }
    }
    return (layers, other)
  }

  /// A parameter's name without its last component.
  private static func layerName(_ name: String) -> String { name.split(separator: ".").dropLast().joined(separator: ".") }

  /// The table that `apus inspect` prints.
  public var table: String {
    var table = TextTable(
      ["layer", "op and weight", "output [n, h, w, c]", "calls", "parameters", "MMAC", "algorithm"], rightAligned: [3, 4, 5])
    for layer in layers {
      table.add(
        [layer.name, layer.kind, "\(layer.outputShape)", "\(layer.calls)", "\(layer.parameters)", Self.millions(layer.multiplyAdds),
         layer.algorithm])
    }
    if otherMultiplyAdds > 0 { table.add(["(products without parameters)", "", "", "", "", Self.millions(otherMultiplyAdds), ""]) }
    table.add(["total", "", "", "", "\(parameterCount)", Self.millions(multiplyAdds), ""])
    return """
      \(title)

      \(table.text)
      Peak memory of one training pass: \(peakBytes >> 20) MiB for one sample, about \(MemoryGuard.size(batchBytes)) for the batch of \
      \(batch.samples); running means of an optimiser: \(MemoryGuard.size(Double(8 * parameterCount)))

      """
  }

  private static func millions(_ count: Int) -> String {
    let tenths = (count + 50_000) / 100_000
    return "\(tenths / 10).\(tenths % 10)"
  }
}
