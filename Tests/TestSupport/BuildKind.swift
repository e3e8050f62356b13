/// Whether tests run without optimisation, where large networks take minutes.
public enum BuildKind {
  public static var isDebug: Bool {
    #if DEBUG
      true
    #else
      false
    #endif
  }

  /// All cases, or in debug builds the first few.
  public static func some<Case>(_ cases: [Case], inDebug count: Int) -> [Case] { isDebug ? Array(cases.prefix(count)) : cases }
}
