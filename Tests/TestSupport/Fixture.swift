import Foundation
import Networks
import Tensors
import WeightFiles

/// Reference values made by PyTorch in float64, in `Tests/Fixtures`; each case has a name, named tensors and settings.
public struct Fixture {
  /// Something that the fixture should hold but does not.
  public struct Missing: Error, CustomStringConvertible {
    public let description: String
    public init(description: String) { self.description = description }
  }

  public let file: Safetensors

  /// - Parameter name: of the file, such as `operations`.
  public init(_ name: String) throws { file = try Safetensors(at: Fixture.path("\(name).safetensors")) }

  /// The path of a file in `Tests/Fixtures`.
  public static func path(_ file: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/\(file)").path
  }

  /// The cases whose settings name this operation, in alphabetical order.
  public static func cases(of operation: String, in name: String = "operations") -> [String] {
    guard let fixture = try? Fixture(name) else { return [] }  // the tests then fail, because they have no case
    return fixture.file.metadata.keys.filter { (try? fixture.settings($0).string("operation")) == operation }.sorted()
  }

  /// Floating-point and Boolean arrays, in float64 and in the shape of the file.
  public func tensor(_ name: String) throws -> Tensor {
    guard let tensor = file[name]?.tensor else { throw Missing(description: "no real array '\(name)'") }
    return tensor.converted(to: .float64)
  }

  public func integers(_ name: String) throws -> [Int] {
    guard let integers = file[name]?.integers else { throw Missing(description: "no integer array '\(name)'") }
    return integers.map(Int.init)
  }

  /// An array of bytes.
  public func bytes(_ name: String) throws -> [UInt8] { try tensor(name).doubles.map { UInt8($0) } }

  public func has(_ name: String) -> Bool { file[name] != nil }

  /// The arrays `<case>/<name>` as a network's weights; all that the file holds of `names`.
  public func weights(_ item: String, _ names: [String]) -> StateDictionary {
    StateDictionary(names.compactMap { name in file["\(item)/\(name)"].map { $0.renamed(name) } })
  }

  /// The settings of a case.
  public func settings(_ item: String) throws -> Settings {
    guard let text = file.metadata[item], let values = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
      throw Missing(description: "no settings of the case '\(item)'")
    }
    return Settings(values: values)
  }

  /// Named numbers and texts.
  public struct Settings {
    let values: [String: Any]

    public init(values: [String: Any]) { self.values = values }

    private func value<Value>(_ key: String) throws -> Value {
      guard let value = values[key] as? Value else { throw Missing(description: "no setting '\(key)' of type \(Value.self)") }
      return value
    }

    public func has(_ key: String) -> Bool { values[key] != nil }
    public func double(_ key: String) throws -> Double { try (value(key) as NSNumber).doubleValue }
    public func int(_ key: String) throws -> Int { try (value(key) as NSNumber).intValue }
    public func bool(_ key: String) throws -> Bool { try (value(key) as NSNumber).boolValue }
    public func string(_ key: String) throws -> String { try value(key) }
    public func strings(_ key: String) throws -> [String] { try value(key) }
    public func ints(_ key: String) throws -> [Int] { try (value(key) as [NSNumber]).map(\.intValue) }
    public func doubles(_ key: String) throws -> [Double] { try (value(key) as [NSNumber]).map(\.doubleValue) }
    public func nested(_ key: String) throws -> Settings { Settings(values: try value(key)) }
    public func extent(_ key: String) throws -> Extent {
      let lengths = try ints(key)
      return Extent(height: lengths[0], width: lengths[1])
    }
  }
}

extension Fixture {
  /// How far a tensor may be from the float64 reference, by element and in the root mean square over all.
  public typealias Bounds = (element: Double, mean: Double)

  /// Compares a whole tensor, in official order, with its float64 reference: the stored elements, its norm and four projections.
  /// - Returns: what is wrong, nil if nothing.
  public func mismatch(_ group: String, _ name: String, _ values: [Double], _ allowed: Bounds) throws -> String? {
    let expected = try tensor("f64/\(group)/\(name)").doubles
    let statistics = try tensor("f64/\(group).statistics/\(name)").doubles
    let found = expected.count == values.count ? values : FixtureHash.compact(values, to: expected.count)
    for (i, pair) in zip(found, expected).enumerated() where !(abs(pair.0 - pair.1) <= allowed.element) {
      return "\(group)/\(name)[\(i)]: \(pair.0), expected \(pair.1) ± \(allowed.element)"
    }
    // Errors of this mean size would move the norm and a projection by their own L2 norm.
    let whole = allowed.mean * Double(values.count).squareRoot()
    for (i, pair) in zip(FixtureHash.statistics(values), statistics).enumerated() where i != 5 && !(abs(pair.0 - pair.1) <= whole) {
      return "\(group)/\(name): statistic \(i) is \(pair.0), expected \(pair.1) ± \(whole)"
    }
    return nil
  }
}

extension Tensor {
  /// `[n, c, h, w]` → `[n, h, w, c]`, `[n, c, t]` → `[n, t, c]`; others as they are.
  public var channelsLast: Tensor { rank >= 3 ? transposed([0] + Array(2..<rank) + [1]) : self }

  /// `[n, h, w, c]` → `[n, c, h, w]`, `[n, t, c]` → `[n, c, t]`; others as they are.
  public var channelsFirst: Tensor { rank >= 3 ? transposed([0, rank - 1] + Array(1..<rank - 1)) : self }
}
