import Base

/// The samples of the n-th batch: a pure function of the seed and the batch's number, so that a run can start anywhere.
///
///     let order = BatchOrder(count: dataset.count, batchSize: 10, seed: 1234)
///     order.places(ofBatch: 31_000)    // 10 places, the same in every run with this seed
public struct BatchOrder: Sendable, Equatable {
  /// A sample in a pass over the data.
  public struct Place: Sendable, Equatable {
    public let epoch: Int
    public let index: Int
  }

  /// Size of the data set.
  public let count: Int
  /// Samples per batch.
  public let batchSize: Int
  public let seed: UInt64
  /// True: each epoch has its own random order. False: all have the order of the data set.
  public let shuffles: Bool
  /// True: an incomplete batch at the end of an epoch is left out. False: it is shorter. A data set smaller than a batch has no complete
  /// one: then batches run on over the ends of epochs, and a batch may hold a sample more than once.
  public let dropsLast: Bool
  /// The group of each sample; none: all are of one. Batches of a shuffled order are made within a group, but for what is left over of
  /// each group, which goes into batches together.
  public let groups: [Int]
  /// The label of each sample, where batches hold a few labels with several samples each; else none.
  public let labels: [Int]
  /// Samples of each label in a batch; 0 without labels.
  public let perLabel: Int

  /// Batches of `batchSize / perLabel` labels with `perLabel` samples each.
  ///
  /// Labels come in random order, all of them before one comes again, each with the next of its samples in an order of its own; a label
  /// with fewer samples than that repeats them. An epoch has as many batches as fit into the set.
  /// - Precondition: `perLabel` divides `batchSize`, and there are as many labels as a batch needs.
  /// - Source: the P x K batches of Hermans, Beyer, Leibe, "In defense of the triplet loss", 2017.
  public init(labels: [Int], perLabel: Int, batchSize: Int, seed: UInt64) {
    require(perLabel > 0 && batchSize > 0 && batchSize % perLabel == 0 && Set(labels).count >= batchSize / perLabel,
            "BatchOrder: batches of \(batchSize) with \(perLabel) samples of each of \(Set(labels).count) labels")
    (count, self.batchSize, self.seed, shuffles, dropsLast) = (labels.count, batchSize, seed, true, true)
    (groups, self.labels, self.perLabel) = ([], labels, perLabel)
  }

  /// - Precondition: `count` and `batchSize` are positive, and there is a group for every sample or none.
  public init(count: Int, batchSize: Int, seed: UInt64, shuffles: Bool = true, dropsLast: Bool = true, groups: [Int] = []) {
    guard count > 0, batchSize > 0 else {
      stop("BatchOrder: \(count) samples in batches of \(batchSize), expected positive numbers")
    }
    require(groups.isEmpty || groups.count == count, "BatchOrder: \(groups.count) groups for \(count) samples")
    self.groups = groups
    self.count = count
    self.batchSize = batchSize
    self.seed = seed
    self.shuffles = shuffles
    self.dropsLast = dropsLast
    labels = []
    perLabel = 0
  }

  private var runsOn: Bool { dropsLast && count < batchSize && labels.isEmpty }

  /// Batches per epoch; 1 for a data set smaller than a batch.
  public var batchesPerEpoch: Int { dropsLast ? max(1, count / batchSize) : (count + batchSize - 1) / batchSize }

  /// The epoch of the first sample of a batch.
  public func epoch(ofBatch batch: Int) -> Int { runsOn ? batch * batchSize / count : batch / batchesPerEpoch }

  /// The samples of a batch in order.
  public func places(ofBatch batch: Int) -> [Place] {
    var orders = EpochOrders()
    return places(ofBatch: batch, &orders)
  }

  /// As `places(ofBatch:)`, but remembers the orders of the epochs it needed.
  func places(ofBatch batch: Int, _ orders: inout EpochOrders) -> [Place] {
    require(batch >= 0, "BatchOrder: batch \(batch), expected zero or more")
    if runsOn {
      return (batch * batchSize..<(batch + 1) * batchSize).map { position in
        let epoch = position / count
        return Place(epoch: epoch, index: orders.order(of: epoch, self)[position % count])
      }
    }
    let epoch = batch / batchesPerEpoch
    let start = batch % batchesPerEpoch * batchSize
    let order = orders.order(of: epoch, self)
    return order[start..<min(start + batchSize, order.count)].map { Place(epoch: epoch, index: $0) }
  }

  /// What the random changes of a sample are drawn from.
  public func random(epoch: Int, index: Int) -> Random { Random(seed: seed, stream: .augmentation, epoch: epoch, sample: index) }

  /// The order of one epoch.
  ///
  /// - Source: the shuffle of Fisher and Yates in Durstenfeld's form (Communications of the ACM 7, 1964, algorithm 235).
  public func permutation(ofEpoch epoch: Int) -> [Int] {
    guard labels.isEmpty else { return dealt(epoch) }
    var order = Array(0..<count)
    guard shuffles else { return order }
    var random = Random(seed: seed, stream: .shuffling, epoch: epoch)
    order.shuffle(with: &random)
    return groups.isEmpty || count < batchSize ? order : grouped(order, &random)
  }

  /// The batches of an epoch, label by label.
  private func dealt(_ epoch: Int) -> [Int] {
    var random = Random(seed: seed, stream: .shuffling, epoch: epoch)
    let lists = Dictionary(grouping: labels.indices, by: { labels[$0] })
    let names = lists.keys.sorted()
    var decks: [Int: [Int]] = [:]
    var queue: [Int] = []
    var order: [Int] = []
    for _ in 0..<batchesPerEpoch {
      var chosen: [Int] = []
      while chosen.count < batchSize / perLabel {
        if !queue.contains(where: { !chosen.contains($0) }) {
          var more = names
          more.shuffle(with: &random)
          queue += more
        }
        guard let place = queue.firstIndex(where: { !chosen.contains($0) }) else { break }
        chosen.append(queue.remove(at: place))
      }
      for label in chosen {
        let samples = lists[label] ?? []
        if (decks[label]?.count ?? 0) < min(perLabel, samples.count) {
          var deck = samples
          deck.shuffle(with: &random)
          decks[label] = deck
        }
        let deck = decks[label] ?? []
        order += (0..<perLabel).map { deck[$0 % deck.count] }
        decks[label] = Array(deck.dropFirst(perLabel))
      }
    }
    return order
  }

  /// Whole batches within groups, and of what is left over, in random order; at the end what fills no batch.
  private func grouped(_ order: [Int], _ random: inout Random) -> [Int] {
    var lists: [Int: [Int]] = [:]
    for index in order { lists[groups[index], default: []].append(index) }
    var batches: [[Int]] = []
    var rest: [Int] = []
    func take(_ list: [Int]) -> [Int] {
      let whole = list.count / batchSize
      for batch in 0..<whole { batches.append(Array(list[batch * batchSize..<(batch + 1) * batchSize])) }
      return Array(list[(whole * batchSize)...])
    }
    for (_, list) in lists.sorted(by: { $0.key < $1.key }) { rest += take(list) }
    rest = take(rest)
    batches.shuffle(with: &random)
    return batches.flatMap { $0 } + rest
  }
}

extension Array {
  fileprivate mutating func shuffle(with random: inout Random) {
    for last in stride(from: count - 1, to: 0, by: -1) { swapAt(last, random.integer(in: 0..<last + 1)) }
  }
}

/// Remembers the latest two epochs' orders, since batches are opened in sequence.
struct EpochOrders: Sendable {
  private var orders: [(epoch: Int, order: [Int])] = []

  mutating func order(of epoch: Int, _ batches: BatchOrder) -> [Int] {
    if let known = orders.first(where: { $0.epoch == epoch }) { return known.order }
    let order = batches.permutation(ofEpoch: epoch)
    orders = orders.suffix(1) + [(epoch, order)]
    return order
  }
}
