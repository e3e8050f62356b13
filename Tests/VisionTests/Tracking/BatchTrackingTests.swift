import Base
import Testing
import Vision

@Suite("Batch tracking") struct BatchTrackingTests {
  private typealias Link = NetworkFlowAssociation.Link

  @Test("the example of the documentation") func example() {
    let links = [Link(from: 0, to: 2, cost: 0.1)]
    #expect(NetworkFlowAssociation(detections: [-2, -2, -2], links: links, birth: 1, death: 0.5).tracks() == [[0, 2], [1]])
    #expect(NetworkFlowAssociation(detections: [], links: [], birth: 1, death: 1).tracks().isEmpty)
  }

  @Test("single detections that do not pay for a track are left out, and a bridge over one that costs is taken") func payment() {
    #expect(NetworkFlowAssociation(detections: [-1, 0.5], links: [], birth: 0.6, death: 0.6).tracks().isEmpty)
    let links = [Link(from: 0, to: 1, cost: 0.1), Link(from: 1, to: 2, cost: 0.1)]
    #expect(NetworkFlowAssociation(detections: [-2, 0.5, -2], links: links, birth: 1.5, death: 1.5).tracks() == [[0, 1, 2]])
  }

  @Test("an early choice is revised: a greedy chain would take the link of another track") func revision() {
    // 0 → 2 is the best link, but 0 → 3 and 1 → 2 together are better.
    let links = [(0, 2, 0), (0, 3, 0.2), (1, 2, 0.2), (1, 3, 3)].map { Link(from: $0.0, to: $0.1, cost: $0.2) }
    #expect(NetworkFlowAssociation(detections: [-2, -2, -2, -2], links: links, birth: 1, death: 1).tracks() == [[0, 3], [1, 2]])
  }

  /// The smallest total cost by trying everything: each detection is left out, begins a track or goes on with one.
  private func cheapest(_ detections: [Double], _ links: [Link], _ ends: Double, from index: Int = 0, open: [Int] = []) -> Double {
    guard index < detections.count else { return 0 }
    var best = cheapest(detections, links, ends, from: index + 1, open: open)
    best = min(best, detections[index] + ends + cheapest(detections, links, ends, from: index + 1, open: open + [index]))
    for link in links where link.to == index && open.contains(link.from) {
      let rest = cheapest(detections, links, ends, from: index + 1, open: open.filter { $0 != link.from } + [index])
      best = min(best, detections[index] + link.cost + rest)
    }
    return best
  }

  @Test("random graphs: the total is that of trying everything") func bruteForce() {
    var random = Random(seed: 11, stream: .test)
    for round in 0..<60 {
      let count = 1 + round % 7
      let detections = (0..<count).map { _ in random.uniform(-3, 1) }
      var links: [Link] = []
      for to in 0..<count {
        for from in 0..<to where random.chance(0.6) { links.append(Link(from: from, to: to, cost: random.uniform(-0.5, 2))) }
      }
      let birth = random.uniform(0, 2)
      let tracks = NetworkFlowAssociation(detections: detections, links: links, birth: birth, death: 0.3).tracks()
      #expect(Set(tracks.joined()).count == tracks.joined().count, "a detection is in two tracks")
      var total = 0.0
      for track in tracks {
        total += birth + 0.3 + track.reduce(0) { $0 + detections[$1] }
        for (from, to) in zip(track, track.dropFirst()) {
          total += links.first { $0.from == from && $0.to == to }?.cost ?? .infinity
        }
      }
      #expect(abs(total - cheapest(detections, links, birth + 0.3)) < 1e-9, "round \(round)")
    }
  }

  // MARK: Refinement

  private func frame(_ boxes: (id: Int, x: Double)...) -> [TrackedBox] {
    boxes.map { TrackedBox(id: $0.id, box: BoundingBox(x: $0.x, y: 0, width: 10 + $0.x, height: 20), score: $0.x / 100, detection: 0) }
  }

  @Test("gaps are filled linearly, longer ones stay") func gaps() {
    let frames = [frame((1, 0), (2, 0)), frame((2, 1)), frame(), frame((1, 30)), frame((2, 9))]
    let filled = TrackRefinement.interpolatingGaps(frames, ofAtMost: 2)
    #expect(filled.map { $0.map(\.id).sorted() } == [[1, 2], [1, 2], [1, 2], [1, 2], [2]])
    #expect(filled[1].last == TrackedBox(id: 1, box: BoundingBox(x: 10, y: 0, width: 20, height: 20), score: 0))
    #expect(filled[2].first { $0.id == 1 }?.box.x == 20)
    #expect(TrackRefinement.interpolatingGaps(frames, ofAtMost: 1) == frames)
    #expect(TrackRefinement.interpolatingGaps([], ofAtMost: 3).isEmpty)
  }

  @Test func shortTracks() {
    let frames = [frame((1, 0), (2, 0)), frame((2, 1)), frame((2, 5), (3, 0))]
    #expect(TrackRefinement.removingShortTracks(frames, below: 2).map { $0.map(\.id) } == [[2], [2], [2]])
    #expect(TrackRefinement.removingShortTracks(frames, below: 1) == frames)
  }
}
