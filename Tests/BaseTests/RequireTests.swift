import Base
import Testing

private let requiringLine = #line + 1
private func requiring() { require(1 > 2, "numbers: one is not above two") }

private let stoppingLine = #line + 1
private func stopping() { stop("numbers: stopped") }

@Suite("Programming errors") struct RequireTests {
  private static func text(_ result: ExitTest.Result?) -> String {
    result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
  }

  @Test("the message begins with the file and the line of the caller") func place() async {
    let failed = Self.text(await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { requiring() })
    let stopped = Self.text(await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { stopping() })
    #expect(failed.contains("BaseTests/RequireTests.swift:\(requiringLine): Fatal error: numbers: one is not above two"), "\(failed)")
    #expect(stopped.contains("BaseTests/RequireTests.swift:\(stoppingLine): Fatal error: numbers: stopped"), "\(stopped)")
  }
}
