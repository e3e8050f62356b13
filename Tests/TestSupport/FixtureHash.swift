import Tensors

/// The numbers that fixtures are made of: pure functions of a name and an index, so that they need not be stored.
/// `Tests/Fixtures/README.md` has the formulas; the scripts there use the same.
public enum FixtureHash {
  public static func fnv1a64(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  public static func splitmix64(_ x: UInt64) -> UInt64 {
    var z = x &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  public static func word(_ key: UInt64, _ index: Int) -> UInt64 { splitmix64(key &+ UInt64(index)) }

  /// In [0, 1).
  public static func fraction(_ key: UInt64, _ index: Int) -> Double { Double(word(key, index) >> 11) * 0x1p-53 }

  public static func key(_ name: String) -> UInt64 { fnv1a64(name.utf8) }

  /// A tensor's values for a weight of the given official name: uniform around a centre, rounded to float32. Vectors called weight or
  /// variance belong to batch norm; its count of batches is 7.
  public static func weights(_ name: String, _ shape: [Int]) -> [Double] {
    if shape.isEmpty { return [7] }
    let fanIn = shape.dropFirst().reduce(1, *), isVector = shape.count == 1, key = key(name)
    let (centre, bound) = switch (isVector, name) {
    case (true, _) where name.hasSuffix(".weight"): (1.0, 0.25)
    case (true, _) where name.hasSuffix(".running_var"): (1.0, 0.5)
    case (true, _): (0.0, 0.05)
    case (false, _): (0.0, (3 / Double(fanIn)).squareRoot())
    }
    return (0..<shape.reduce(1, *)).map { Double(Float(centre + (fraction(key, $0) * 2 - 1) * bound)) }
  }

  /// Four sums with pseudo-random signs over all elements, then the L2 norm and the largest absolute value.
  public static func statistics(_ values: [Double]) -> [Double] {
    let sums = (0..<4).map { j -> Double in
      let key = key("projection\(j)")
      return values.indices.reduce(0) { word(key, $1) >> 63 == 0 ? $0 + values[$1] : $0 - values[$1] }
    }
    return sums + [values.reduce(0) { $0 + $1 * $1 }.squareRoot(), values.reduce(0) { max($0, abs($1)) }]
  }

  /// All elements, or `count` of them, evenly spaced.
  public static func compact(_ values: [Double], to count: Int) -> [Double] {
    values.count <= count ? values : (0..<count).map { values[$0 * values.count / count] }
  }
}
