import Base
import Data
import Foundation
import Synchronization
import Testing

/// What a test element records: the sample, and the first number of its randomness.
private struct Token: Sendable, Equatable {
  let index: Int
  let number: UInt32
}

@Sendable private func token(_ index: Int, _ random: inout Random) -> Token { Token(index: index, number: random.nextWord()) }

private struct Broken: Error, Equatable {
  let index: Int
}

private func take(_ count: Int, from loader: Loader<Token>) throws -> [[Token]] { try (0..<count).map { _ in try loader.next() } }

struct BatchOrderTests {
  @Test func eachEpochIsAPermutationOfItsOwn() {
    let order = BatchOrder(count: 103, batchSize: 10, seed: 4, dropsLast: false)
    #expect(order.batchesPerEpoch == 11)
    let epochs = (0..<3).map { epoch in
      (0..<11).flatMap { order.places(ofBatch: epoch * 11 + $0) }
    }
    for (epoch, places) in epochs.enumerated() {
      #expect(places.allSatisfy { $0.epoch == epoch })
      #expect(places.map(\.index).sorted() == Array(0..<103))
      #expect(places.map(\.index) == order.permutation(ofEpoch: epoch))
    }
    #expect(epochs[0].map(\.index) != epochs[1].map(\.index))
    #expect(order.places(ofBatch: 10).count == 3)
    #expect(BatchOrder(count: 103, batchSize: 10, seed: 5).permutation(ofEpoch: 0) != order.permutation(ofEpoch: 0))
  }

  @Test func incompleteBatchesAreDropped() {
    let order = BatchOrder(count: 103, batchSize: 10, seed: 4)
    #expect(order.batchesPerEpoch == 10)
    #expect((0..<30).allSatisfy { order.places(ofBatch: $0).count == 10 })
    #expect(order.epoch(ofBatch: 9) == 0 && order.epoch(ofBatch: 10) == 1 && order.places(ofBatch: 10)[0].epoch == 1)
  }

  /// Images of one shape share batches but for the left-over ones; every sample comes once in an epoch, in another order each time.
  @Test func batchesAreMadeWithinGroups() {
    let groups = (0..<103).map { $0 % 3 == 0 ? 5 : $0 % 2 }
    let order = BatchOrder(count: 103, batchSize: 8, seed: 4, groups: groups)
    let first = (0..<order.batchesPerEpoch).map { order.places(ofBatch: $0).map(\.index) }
    #expect(Set(order.permutation(ofEpoch: 0)) == Set(0..<103))
    #expect(first.count == 12 && first.allSatisfy { $0.count == 8 })
    let mixed = first.count { Set($0.map { groups[$0] }).count > 1 }
    #expect(mixed <= 2, "\(mixed) mixed batches of three groups")
    let plain = BatchOrder(count: 103, batchSize: 8, seed: 4)
    #expect((0..<12).count { Set(plain.places(ofBatch: $0).map { groups[$0.index] }).count > 1 } > 8)
    let second = (12..<24).map { order.places(ofBatch: $0).map(\.index) }
    #expect(first != second && first == (0..<12).map { order.places(ofBatch: $0).map(\.index) })
    // The order of batches does not follow that of the groups.
    #expect(zip(first, first.dropFirst()).count { groups[$0[0]] != groups[$1[0]] } > 3)
  }

  @Test func withoutShufflingTheOrderIsPlain() {
    let order = BatchOrder(count: 5, batchSize: 2, seed: 4, shuffles: false, dropsLast: false)
    #expect((0..<4).map { order.places(ofBatch: $0).map(\.index) } == [[0, 1], [2, 3], [4], [0, 1]])
  }

  @Test func smallSetsRunOnOverEpochs() {
    let order = BatchOrder(count: 3, batchSize: 8, seed: 9)
    let places = (0..<3).flatMap { order.places(ofBatch: $0) }
    #expect(places.map(\.epoch) == (0..<24).map { $0 / 3 })
    for epoch in 0..<8 { #expect(places[3 * epoch..<3 * epoch + 3].map(\.index).sorted() == [0, 1, 2]) }
    #expect(order.epoch(ofBatch: 1) == 2)
  }

  /// Every sample is equally likely in every place: 6 orders of 3 samples over 6000 epochs, five standard deviations.
  @Test func shufflingIsUniform() {
    let order = BatchOrder(count: 3, batchSize: 3, seed: 1)
    var counts: [[Int]: Int] = [:]
    for epoch in 0..<6000 { counts[order.permutation(ofEpoch: epoch), default: 0] += 1 }
    #expect(counts.count == 6)
    for count in counts.values { #expect(abs(count - 1000) < 145) }
  }
}

struct LoaderTests {
  private let order = BatchOrder(count: 23, batchSize: 4, seed: 11)

  @Test func elementsHaveTheirOwnRandomness() throws {
    let batches = try take(12, from: Loader(order, workers: 0, load: token))
    for (number, batch) in batches.enumerated() {
      let expected = order.places(ofBatch: number).map { place in
        var random = Random(seed: 11, stream: .augmentation, epoch: place.epoch, sample: place.index)
        return Token(index: place.index, number: random.nextWord())
      }
      #expect(batch == expected)
    }
  }

  @Test(arguments: [1, 2, 3, 7], [1, 2, 5]) func workersChangeNothing(workers: Int, prefetch: Int) throws {
    let inline = try take(30, from: Loader(order, workers: 0, load: token))
    let loader = Loader(order, workers: workers, prefetch: prefetch) { index, random in
      if index % 5 == 0 { usleep(300) }  // let later elements overtake
      return token(index, &random)
    }
    #expect(try take(30, from: loader) == inline)
    #expect(loader.nextBatch == 30)
  }

  @Test(arguments: [0, 3]) func resumesAnywhere(workers: Int) throws {
    for order in [order, BatchOrder(count: 3, batchSize: 4, seed: 2)] {
      let whole = try take(20, from: Loader(order, workers: 0, load: token))
      for start in [1, 5, 7, 13] {
        let loader = Loader(order, workers: workers, startingAt: start, load: token)
        #expect(try take(20 - start, from: loader) == Array(whole[start...]))
      }
    }
  }

  @Test func loadsNoFurtherAheadThanAllowed() throws {
    let begun = Counter()
    let loader = Loader(order, workers: 3, prefetch: 2) { index, random in
      begun.increment()
      return token(index, &random)
    }
    for delivered in 0..<8 {
      let limit = (delivered + 2) * 4
      wait { begun.value >= limit }  // the window does fill
      usleep(5000)  // time to overshoot
      #expect(begun.value == limit)
      _ = try loader.next()
    }
  }

  @Test(arguments: [0, 1, 3]) func errorsComeAtTheirPlace(workers: Int) throws {
    let failing: Set<Int> = [6, 17]
    let loader = Loader(order, workers: workers) { index, random in
      if failing.contains(index) { throw Broken(index: index) }
      return token(index, &random)
    }
    for number in 0..<15 {
      let expected = order.places(ofBatch: number).map(\.index)
      if let bad = expected.first(where: failing.contains) {
        #expect(throws: Broken(index: bad)) { try loader.next() }
      } else {
        #expect(try loader.next().map(\.index) == expected)
      }
    }
  }

  /// Nothing beyond the last batch is read.
  @Test(arguments: [0, 1, 3]) func loadingEnds(workers: Int) throws {
    let begun = Counter()
    let order = BatchOrder(count: 7, batchSize: 3, seed: 1, shuffles: false, dropsLast: false)
    let loader = Loader(order, workers: workers, prefetch: 4, endingAt: order.batchesPerEpoch) { index, _ in
      begun.increment()
      return index
    }
    #expect(try (0..<3).map { _ in try loader.next() } == [[0, 1, 2], [3, 4, 5], [6]])
    usleep(5000)
    #expect(begun.value == 7)
  }

  /// The batches of a stream depend on the step alone, from wherever it is asked.
  @Test func aStreamGivesTheBatchOfAStep() throws {
    var stream = BatchStream(count: 23, batchSize: 4, seed: 11, workers: 2, load: token)
    let whole = try (0..<9).map { try stream.batch(at: $0) }
    #expect(try whole == take(9, from: Loader(order, workers: 0, load: token)))
    #expect(try stream.batch(at: 3) == whole[3] && stream.batch(at: 4) == whole[4])
    var other = BatchStream(count: 23, batchSize: 4, seed: 11, workers: 0, load: token)
    #expect(try other.batch(at: 7) == whole[7])
    #expect(stream.stepsPerEpoch == 5 && stream.epochs(after: 5) == 0 && stream.epochs(after: 6) == 1)
  }

  @Test func releasingTheLoaderStopsItsWorkers() {
    let begun = Counter()
    var loader: Loader<Token>? = Loader(order, workers: 2, prefetch: 5) { index, random in
      begun.increment()
      usleep(20_000)
      return token(index, &random)
    }
    wait { begun.value >= 2 }
    #expect(loader?.nextBatch == 0)
    loader = nil
    let atRelease = begun.value
    usleep(100_000)
    #expect(begun.value <= atRelease + 2)  // each worker may just have taken an element
    #expect(begun.value < 20)
  }

  /// Waits up to ten seconds.
  private func wait(until condition: () -> Bool) {
    for _ in 0..<10_000 where !condition() { usleep(1000) }
  }
}

private final class Counter: Sendable {
  private let count = Atomic<Int>(0)

  var value: Int { count.load(ordering: .sequentiallyConsistent) }

  func increment() { count.add(1, ordering: .sequentiallyConsistent) }
}
