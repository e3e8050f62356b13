import CKernels
import Testing

/// Every function of every table against the portable float64 loops, which the other suites check against definitions.
@Suite struct InstructionSetTests {
  /// The table holds nothing but function pointers, so its size counts them; each must have a case.
  @Test func everyFunctionHasACase() {
    #expect(Set(LoopCase<Float>.all.map(\.name)).count == MemoryLayout<apus_kernels>.size / MemoryLayout<UnsafeRawPointer>.size - 1)
  }

  @Test(arguments: InstructionSet.available)
  func float64AgreesWithPortable(_ set: InstructionSet) { compare(Double.self, set) }

  /// Float32 results may differ from float64 by the same number of units: the inputs are exact in both.
  @Test(arguments: InstructionSet.available)
  func float32AgreesWithFloat64(_ set: InstructionSet) { compare(Float.self, set) }

  func compare<T: Real>(_ type: T.Type, _ set: InstructionSet) {
    for (found, expected) in zip(LoopCase<T>.all, LoopCase<Double>.all) {
      var numbers = Numbers(seed: 7), same = Numbers(seed: 7)
      let result = found.run(T.table(set), &numbers)
      let deviation = Deviation(result, expected.run(Double.table(.portable), &same), floor: found.floor)
      #expect(deviation.ulps <= found.ulps, "\(found.name) in \(T.self) on \(set): \(deviation)")
    }
  }

  @Test func missingTablesAreNil() {
    #expect(apus_kernels_float32(APUS_PORTABLE) != nil)
    #expect((apus_kernels_float32(APUS_AVX512) != nil) == (apus_best_isa() == APUS_AVX512))
  }

  /// The split of the outer dimension and in-place calls must not change a bit.
  @Test(arguments: InstructionSet.available)
  func resultsDoNotDependOnTheSplit(_ set: InstructionSet) {
    let table = Float.table(set)
    var numbers = Numbers(seed: 3)
    let x: [Float] = numbers.reals(1003)
    var whole = [Float](repeating: 0, count: 1003), parts = whole, inPlace = x
    for function in [APUS_EXP, APUS_TANH, APUS_SIGMOID, APUS_ERF, APUS_AFFINE, APUS_SOFTPLUS] {
      let function = Int32(function.rawValue)
      inPlace = x
      table.unary(function, x, &whole, 1003, 0.3, 0.7)
      table.unary(function, inPlace, &inPlace, 1003, 0.3, 0.7)
      x.withUnsafeBufferPointer { x in
        parts.withUnsafeMutableBufferPointer { y in
          for start in stride(from: 0, to: 1003, by: 37) {
            let count = min(37, 1003 - start)
            table.unary(function, x.baseAddress.map { $0 + start }, y.baseAddress.map { $0 + start }, count, 0.3, 0.7)
          }
        }
      }
      #expect(whole == parts)
      #expect(whole == inPlace)
    }
  }

  @Test func precisionsConvert() {
    var numbers = Numbers(seed: 5)
    let x: [Float] = numbers.reals(101)
    var wide = [Double](repeating: 0, count: 101), back = [Float](repeating: 0, count: 101)
    apus_widen(x, &wide, 101)
    apus_narrow(wide, &back, 101)
    #expect(wide == x.map { Double($0) })
    #expect(back == x)
  }
}
