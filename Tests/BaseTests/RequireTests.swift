import Base
import Testing

@Suite("Programming errors") struct RequireTests {
  @Test("the message begins with the file and the line of the caller") func place() async {
    let line = #line + 2
    let failed = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      require(1 > 2, "numbers: one is not above two")
    }
    let stopped = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      stop("numbers: stopped")
    }
    let texts = [failed, stopped].map { $0.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? "" }
    #expect(texts[0].contains("BaseTests/RequireTests.swift:\(line)") && texts[0].contains("numbers: one is not above two"), "\(texts[0])")
    #expect(texts[1].contains("BaseTests/RequireTests.swift:\(line + 3)") && texts[1].contains("numbers: stopped"), "\(texts[1])")
  }
}
