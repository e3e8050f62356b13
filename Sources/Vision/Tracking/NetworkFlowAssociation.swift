import Base

/// Batch association: the tracks of the smallest total cost through all detections of a sequence, each detection in one track at most.
///
/// Costs are negative logarithms of odds: a detection that is true with probability β costs `log((1 - β) / β)`, below 0 if it is
/// likelier true than false; a link costs `-log p`, a track its birth and its death. The minimum-cost flow with unit capacities from births
/// to deaths is integral, so its paths are tracks, as many as pay.
///
/// ```swift
/// let graph = NetworkFlowAssociation(detections: [-2, -2, -2], links: [.init(from: 0, to: 2, cost: 0.1)], birth: 1, death: 0.5)
/// graph.tracks()   // [[0, 2], [1]]: -2 + 0.1 - 2 + 1.5, and -2 + 1.5
/// ```
/// - Source: Zhang, Li, Nevatia 2008, "Global data association for multi-object tracking using network flows"; solved by successive
///   shortest paths with potentials.
public struct NetworkFlowAssociation: Sendable {
  /// A pair of detections that may follow each other in a track.
  public struct Link: Sendable, Equatable {
    /// The earlier detection.
    public let from: Int
    public let to: Int
    public let cost: Double

    public init(from: Int, to: Int, cost: Double) {
      self.from = from
      self.to = to
      self.cost = cost
    }
  }

  private let count: Int
  private let links: Int
  private var network: FlowNetwork

  /// - Parameters:
  ///   - detections: the cost of each, in the order of time.
  ///   - links: from a detection to a later one, by index; pairs that are not listed are never linked.
  /// - Precondition: all costs are finite, and links lead forward.
  public init(detections: [Double], links: [Link], birth: Double, death: Double) {
    require((detections + links.map(\.cost) + [birth, death]).allSatisfy(\.isFinite), "NetworkFlowAssociation: a cost is not finite")
    require(links.allSatisfy { $0.from >= 0 && $0.from < $0.to && $0.to < detections.count },
            "NetworkFlowAssociation: a link does not lead to a later detection")
    count = detections.count
    self.links = links.count
    // Births are node 0, detection i has the nodes 2i + 1 and 2i + 2, deaths are the last one: edges lead to larger numbers.
    network = FlowNetwork(nodes: 2 * detections.count + 2)
    for i in detections.indices {
      network.add(from: 0, to: 2 * i + 1, cost: birth)
      network.add(from: 2 * i + 1, to: 2 * i + 2, cost: detections[i])
      network.add(from: 2 * i + 2, to: 2 * detections.count + 1, cost: death)
    }
    for link in links { network.add(from: 2 * link.from + 2, to: 2 * link.to + 1, cost: link.cost) }
  }

  /// The tracks as indices of detections, in the order of their first ones; detections that do not pay are in none.
  public func tracks() -> [[Int]] {
    var network = network
    network.minimizeCost()
    var next = [Int?](repeating: nil, count: count)
    for link in 0..<links {
      let edge = 3 * count + link
      if network.isUsed(edge) { next[(network.source(of: edge) - 2) / 2] = (network.target(of: edge) - 1) / 2 }
    }
    return (0..<count).filter { network.isUsed(3 * $0) }.map { first in
      var track = [first]
      while let following = track.last.flatMap({ next[$0] }) { track.append(following) }
      return track
    }
  }
}

/// A network of edges of capacity 1 from node 0 to the last node, in which edges lead to nodes with larger numbers.
private struct FlowNetwork: Sendable {
  /// Edges and their reverses in turns: edge e has the entries 2e and 2e + 1.
  private var targets: [Int] = []
  private var costs: [Double] = []
  /// Whether an entry can take a unit more.
  private var isOpen: [Bool] = []
  /// The entries that leave each node.
  private var leaving: [[Int]]
  private var potentials: [Double]

  init(nodes: Int) {
    leaving = Array(repeating: [], count: nodes)
    potentials = Array(repeating: .infinity, count: nodes)
  }

  mutating func add(from: Int, to: Int, cost: Double) {
    leaving[from].append(targets.count)
    leaving[to].append(targets.count + 1)
    targets += [to, from]
    costs += [cost, -cost]
    isOpen += [true, false]
  }

  func isUsed(_ edge: Int) -> Bool { isOpen[2 * edge + 1] }
  func source(of edge: Int) -> Int { targets[2 * edge + 1] }
  func target(of edge: Int) -> Int { targets[2 * edge] }

  /// Sends units along the cheapest paths as long as they cost less than nothing.
  mutating func minimizeCost() {
    let last = leaving.count - 1
    // The first distances in the order of the nodes: costs may be negative, but there is no cycle.
    potentials[0] = 0
    for node in leaving.indices {
      for entry in leaving[node] where isOpen[entry] {
        potentials[targets[entry]] = min(potentials[targets[entry]], potentials[node] + costs[entry])
      }
    }
    while let path = cheapestPath(), potentials[last] - potentials[0] < -1e-12 {
      for entry in path {
        isOpen[entry] = false
        isOpen[entry ^ 1] = true
      }
    }
  }

  /// Entries of the cheapest path to the last node, by Dijkstra's method on costs that the potentials make positive; the potentials are
  /// then the new distances. nil if there is none.
  private mutating func cheapestPath() -> [Int]? {
    let last = leaving.count - 1
    var distances = [Double](repeating: .infinity, count: leaving.count)
    var arriving = [Int](repeating: -1, count: leaving.count)
    var isDone = [Bool](repeating: false, count: leaving.count)
    var queue = DistanceQueue()
    distances[0] = 0
    queue.push(0, node: 0)
    while let node = queue.pop() {
      if isDone[node] { continue }
      isDone[node] = true
      if node == last { break }
      for entry in leaving[node] where isOpen[entry] {
        let target = targets[entry]
        // Rounding may make a cost of 0 slightly negative.
        let distance = distances[node] + max(0, costs[entry] + potentials[node] - potentials[target])
        if distance < distances[target] {
          distances[target] = distance
          arriving[target] = entry
          queue.push(distance, node: target)
        }
      }
    }
    guard isDone[last] else { return nil }
    for node in leaving.indices { potentials[node] += min(distances[node], distances[last]) }
    var path: [Int] = []
    var node = last
    while node != 0 {
      path.append(arriving[node])
      node = targets[arriving[node] ^ 1]
    }
    return path
  }
}

/// Nodes by distance, the nearest first: a binary heap.
private struct DistanceQueue {
  private var heap: [(distance: Double, node: Int)] = []

  mutating func push(_ distance: Double, node: Int) {
    heap.append((distance, node))
    var place = heap.count - 1
    while place > 0, heap[place] < heap[(place - 1) / 2] {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func pop() -> Int? {
    guard let first = heap.first, let end = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first.node }
    heap[0] = end
    var place = 0
    while true {
      var child = 2 * place + 1
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard child < heap.count, heap[child] < heap[place] else { return first.node }
      heap.swapAt(place, child)
      place = child
    }
  }
}
