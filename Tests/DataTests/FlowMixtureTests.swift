import Base
import Data
import Testing
import Vision

/// Samples whose every number says where they come from.
private struct NumberedSet: FlowDataset {
  let number: Int
  let count: Int

  func sample(at index: Int) throws -> FlowSample {
    guard (0..<count).contains(index) else { throw Failure(.badData, at: "\(number)", "no sample \(index)") }
    let image = Image(height: 4, width: 4, channels: 3, pixels: Array(repeating: UInt8(10 * number + index), count: 48))
    return FlowSample(image1: image, image2: image, flow: FlowField(height: 4, width: 4, vectors: Array(repeating: 1, count: 32)))
  }

  func name(of index: Int) -> String { "s\(index)" }
}

private func plain(_ change: (inout FlowAugmentation) -> Void = { _ in }) -> FlowAugmentation {
  var augmentation = FlowAugmentation.centerCrop(height: 4, width: 4)
  change(&augmentation)
  return augmentation
}

struct FlowMixtureTests {
  private let mixture = FlowMixture([
    .init(NumberedSet(number: 1, count: 2), repeats: 2, augmentation: plain()),
    .init(NumberedSet(number: 2, count: 1), repeats: 3, augmentation: plain { $0.hue = 0.25 }),
    .init(NumberedSet(number: 3, count: 3), augmentation: plain()),
  ])

  /// As lists are repeated and joined: a0 a1 a0 a1, b0 b0 b0, c0 c1 c2.
  @Test func samplesStandInListOrder() throws {
    #expect(mixture.count == 10)
    let values = try (0..<10).map { try Int(mixture.sample(at: $0).image1.pixels[0]) }
    #expect(values == [10, 11, 10, 11, 20, 20, 20, 30, 31, 32])
    #expect((0..<10).map { mixture.place(of: $0).repetition } == [0, 0, 1, 1, 0, 1, 2, 0, 0, 0])
    let turned = (0..<10).filter { mixture.augmentation(at: $0).hue == 0.25 }
    #expect(turned == [4, 5, 6])
    let names = (0..<10).map { mixture.name(of: $0) }
    #expect(Set(names).count == 10 && names[3] == "set0_copy1_s1" && names[9] == "set2_s2")
    let single = FlowMixture([.init(NumberedSet(number: 1, count: 2), augmentation: plain())])
    #expect(single.name(of: 1) == "s1")
  }

  /// The published mixture of the Sintel stage: about 293,700 pairs, of which .71 Sintel, .136 KITTI, .018 HD1K, .137 Things.
  @Test func thePublishedMixture() {
    let counts = [(1041, 100), (1041, 100), (200, 200), (1047, 5), (40302, 1)]
    let mixture = FlowMixture(counts.map { .init(NumberedSet(number: 0, count: $0.0), repeats: $0.1, augmentation: plain()) })
    #expect(mixture.count == 293_737)
    var shares: [Int: Double] = [:]
    for index in 0..<mixture.count { shares[mixture.place(of: index).part, default: 0] += 1 / Double(mixture.count) }
    let found = [shares[0, default: 0] + shares[1, default: 0], shares[2, default: 0], shares[3, default: 0], shares[4, default: 0]]
    for (share, expected) in zip(found, [0.71, 0.136, 0.018, 0.137]) { #expect(abs(share - expected) < 0.0015) }
  }

  /// An epoch visits every place of the list once, in the same order and with the same random changes for any number of workers.
  @Test(arguments: [0, 1, 3]) func loadsAlikeWithAnyNumberOfWorkers(workers: Int) throws {
    func batches(_ workers: Int, from start: Int = 0) throws -> [[[Int]]] {
      let mixture = mixture
      let loader = Loader(BatchOrder(count: mixture.count, batchSize: 3, seed: 5), workers: workers, startingAt: start) { index, random in
        let sample = mixture.augmentation(at: index)(try mixture.sample(at: index), random: &random)
        return [Int(sample.image1.pixels[0]), index, Int(random.uniform() * 1e9)]
      }
      return try (start..<9).map { _ in try loader.next() }
    }
    let expected = try batches(0), found = try batches(workers)
    #expect(found == expected)
    #expect(try batches(workers, from: 4) == Array(expected[4...]))
    for epoch in 0..<3 {
      let visited = expected[3 * epoch..<3 * epoch + 3].joined().map { $0[1] }
      #expect(Set(visited).count == 9)
    }
    // The repetitions of one sample draw differently.
    let draws = expected.joined().filter { [20].contains($0[0]) }.map { $0[2] }
    #expect(Set(draws).count == draws.count && draws.count > 5)
  }
}
