import Base
import Foundation
import Testing

/// `apus bench`.
@Suite struct BenchmarkTests {
  /// The part of the report that is checked.
  struct Report: Decodable {
    struct Case: Decodable {
      let name: String
      let gflop: Double
      let ours: Side
      let torch: Side?
    }
    struct Side: Decodable {
      let seconds, gflops, share_of_peak: Double
      let round_seconds: [Double]
    }
    let peak_gflops: Double
    let threads, rounds: Int
    let precision: String
    let torch: String?
    let torch_missing: String?
    let cases: [Case]
  }

  static func report(_ outcome: Outcome) throws -> Report { try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8)) }

  @Test func casesAreListed() throws {
    let outcome = try Workplace().apus("bench", "--list")
    expectSuccess(outcome)
    for name in ["conv3x3-64 ", "conv7x7-stem ", "encoder-layer ", "resnet50-layer2 ", "raft-small-step "] {
      #expect(outcome.outputLines.contains { $0.hasPrefix(name) }, "\(name)")
    }
  }

  @Test func oneCaseWithoutTorch() throws {
    let outcome = try Workplace().apus(
      "bench", "conv1x1-256", "--no-torch", "--json", "--rounds", "2", "--threads", "1", "--precision", "high")
    expectSuccess(outcome)
    let report = try Self.report(outcome), item = try #require(report.cases.first)
    #expect(report.cases.count == 1 && item.name == "conv1x1-256" && report.threads == 1 && report.rounds == 2)
    #expect(report.peak_gflops > 0 && report.precision == "high")
    #expect(item.gflop > 1.2 && item.gflop < 1.21 && item.ours.seconds > 0 && item.ours.gflops > 0 && item.ours.share_of_peak > 0)
    let areSound = item.ours.round_seconds.count == 2 && item.ours.round_seconds.allSatisfy { $0 > 0 }
    #expect(areSound)
    #expect(item.torch == nil && report.torch == nil && report.torch_missing == "not asked for")
  }

  @Test func aMissingPythonIsTold() throws {
    let place = try Workplace()
    let outcome = try place.apus("bench", "conv1x1-256", "--json", "--rounds", "1", "--python", place.path("no/python3"))
    expectSuccess(outcome)
    let report = try Self.report(outcome)
    #expect(report.cases.count == 1 && report.torch == nil && report.torch_missing?.contains("no/python3") == true)
    let table = try place.apus("bench", "conv1x1-256", "--rounds", "1", "--no-torch", "--threads", "1")
    expectSuccess(table)
    #expect(table.output.contains("without PyTorch: not asked for") && table.output.contains("conv1x1-256"))
  }

  @Test func mistakesAreNamed() throws {
    let place = try Workplace()
    expectFailure(try place.apus("bench", "conv9x9"), 64, "there is no benchmark 'conv9x9'", "conv3x3-64", "raft-small-step")
    expectFailure(try place.apus("bench", "--rounds", "0"), 64, "--rounds: 0 is out of range")
    expectFailure(try place.apus("bench", "--threads", "-1"), 64, "--threads: -1 is out of range")
    expectFailure(try place.apus("bench", "--precision", "low"), 64, "'low'", "highest")
  }
}
