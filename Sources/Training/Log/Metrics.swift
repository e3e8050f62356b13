/// Named numbers in a fixed order, such as `["loss": 3.2, "accuracy": 0.4]`.
public struct Metrics: Sendable, Equatable, ExpressibleByDictionaryLiteral, RandomAccessCollection {
  public struct Element: Sendable, Equatable {
    public let name: String
    public let value: Double

    public init(name: String, value: Double) {
      (self.name, self.value) = (name, value)
    }
  }

  private var elements: [Element] = []

  public init() {}

  public init(dictionaryLiteral pairs: (String, Double)...) {
    elements = pairs.map { Element(name: $0.0, value: $0.1) }
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { elements.count }
  public subscript(index: Int) -> Element { elements[index] }
  public var names: [String] { elements.map(\.name) }

  /// The number with this name; setting an unknown name appends it.
  public subscript(name: String) -> Double? {
    get { elements.first { $0.name == name }?.value }
    set {
      let index = elements.firstIndex { $0.name == name }
      guard let newValue else { if let index { elements.remove(at: index) }; return }
      if let index { elements[index] = Element(name: name, value: newValue) } else { elements.append(Element(name: name, value: newValue)) }
    }
  }
}

/// One row of the metric logs.
public struct MetricEvent: Sendable, Equatable {
  /// `train` or `val`; also the first part of the tags in TensorBoard.
  public let split: String
  public let step: Int
  public let epoch: Int
  /// Numbers that depend on the config and the seed alone: equal in two runs, bit for bit.
  public let values: Metrics
  /// Numbers that depend on the machine and the hour (`wall`, `time`, `data_time`, …); kept apart, behind the others.
  public let clock: Metrics

  public init(split: String, step: Int, epoch: Int, values: Metrics, clock: Metrics) {
    (self.split, self.step, self.epoch, self.values, self.clock) = (split, step, epoch, values, clock)
  }

  /// One JSON object without a line end; the clock comes last, so that `sed 's/,"wall".*//'` leaves what must repeat.
  package var json: String {
    var text = "{\"split\":\(split.quotedJSON),\"step\":\(step),\"epoch\":\(epoch)"
    for metric in Array(values) + Array(clock) { text += ",\(metric.name.quotedJSON):\(MetricEvent.number(metric.value) ?? "null")" }
    return text + "}"
  }

  /// The shortest text that reads back as the same number; nil for NaN and infinities, which JSON lacks.
  static func number(_ value: Double) -> String? { value.isFinite ? String(value) : nil }
}
