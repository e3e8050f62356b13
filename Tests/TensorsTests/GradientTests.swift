import TestSupport
import Tensors
import Testing

extension OpCase: CustomTestStringConvertible {
  public var testDescription: String { name }

  /// Every case of the gradient table.
  static let all = arithmeticCases + elementaryCases + shapeCases + productCases + normalizationCases + resamplingCases
    + correlationCases + recurrenceCases
}

@Suite("Gradient table") struct GradientTests {
  @Test("float64 gradients equal central differences", arguments: OpCase.all)
  func gradient(_ item: OpCase) {
    var check = GradientCheck()
    let problem = check.check(item)
    #expect(problem == nil)
  }

  @Test("every recorded op is in the table") func coverage() {
    var recorded: Set<Op> = []
    for item in OpCase.all {
      var check = GradientCheck()
      _ = check.check(item)
      recorded.formUnion(check.recordedOps)
    }
    #expect(recorded == Set(Op.allCases), "missing: \(Set(Op.allCases).subtracting(recorded).map(\.rawValue).sorted())")
    let claimed = Set(OpCase.all.compactMap(\.op))
    #expect(claimed == Set(Op.allCases), "without a case of their own: \(Set(Op.allCases).subtracting(claimed).map(\.rawValue).sorted())")
  }

  @Test("case names are unique") func names() {
    #expect(Set(OpCase.all.map(\.name)).count == OpCase.all.count)
  }
}
