import Base
import Data
import Testing
import TestSupport
import Vision

/// What is wrong with a set of image pairs.
@Suite("Reports of image pairs") struct FlowReportTests {
  private struct Pairs: FlowDataset {
    let samples: [FlowSample?]
    var count: Int { samples.count }

    func sample(at index: Int) throws -> FlowSample {
      guard let sample = samples[index] else { throw Failure(.badData, at: "\(index).flo", "no .flo file", remedy: "Make it anew.") }
      return sample
    }

    func name(of index: Int) -> String { "pair\(index)" }
  }

  private func pair(_ seed: UInt64, u: Float = 3, known: (Int) -> Bool = { _ in true }, height: Int = 20, width: Int = 24) -> FlowSample {
    let vectors = (0..<2 * height * width).map { $0 % 2 == 0 ? u : 4 }
    let flow = FlowField(height: height, width: width, vectors: vectors, isValid: (0..<height * width).map(known))
    return FlowSample(image1: .noise(height: height, width: width, seed: seed), image2: .noise(height: height, width: width, seed: seed + 1),
                      flow: flow)
  }

  @Test func soundPairsAreSummedUp() {
    let report = FlowReport(of: [Pairs(samples: [pair(1), pair(3), pair(5, u: 0)])], name: "set", crop: (16, 16), maximum: 400)
    #expect(report.isUsable && report.findings.all.isEmpty && report.pairCount == 3)
    // Lengths of 5 px and of 4.
    let lengths = report.distributions[0].bins.filter { $0.value > 0 }
    #expect(lengths.map(\.label) == ["2 to 5", "5 to 10"] && abs(lengths[1].value - 200 / 3) < 1)
    #expect(report.description.contains("set: 3 pairs") && report.description.contains("nothing to report"))
    #expect(report.description.contains("24x20"))
  }

  @Test func everythingIsToldAtOnce() {
    var copy = pair(7)
    copy.image2 = copy.image1
    let samples = [nil, pair(1), pair(3, known: { _ in false }), pair(5, known: { $0 > 9 }), copy, pair(9, u: 500), pair(11, height: 12)]
    let report = FlowReport(of: [Pairs(samples: samples), Pairs(samples: [pair(1)])], name: "set", crop: (16, 16), maximum: 400,
                            validation: [Pairs(samples: [pair(1), nil])])
    let counts = Dictionary(uniqueKeysWithValues: report.findings.all.map { ($0.kind, $0.count) })
    #expect(counts == [.unreadablePairs: 1, .sharedPairs: 2, .unknownFlow: 1, .partlyKnown: 1, .equalFrames: 1, .longVectors: 1, .smallImages: 1])
    #expect(!report.isUsable && report.pairCount == 8)
    for words in ["set 0, pair0: 0.flo: no .flo file", "Make it anew.", "set 1, pair0", "set 0, pair5: 500 px", "loss.max_flow"] {
      #expect(report.description.contains(words), "'\(words)' in: \(report.description)")
    }
  }

  @Test func binsHoldTheirLowerEdge() {
    let values = Distribution("x", unit: "n", [0, 1, 1.9, 2, 7], edges: [0, 1, 2, 5])
    #expect(values.bins == [.init("0 to 1", 1), .init("1 to 2", 2), .init("2 to 5", 1), .init("5 and more", 1)])
    let counts = Distribution("x", unit: "n", counting: [0, 2, 2, 9], most: 3)
    #expect(counts.bins == [.init("0", 1), .init("1", 0), .init("2", 2), .init("3 and more", 1)])
    let sizes = Distribution(sizes: [(2, 3), (2, 3), (5, 4), (1, 1)], limit: 2)
    #expect(sizes.bins == [.init("3x2", 2), .init("1x1", 1), .init("other sizes", 1)])
    #expect(Distribution("x", unit: "%", [.init("a", 12.34)], decimals: 1).text.contains("12.3"))
  }
}
