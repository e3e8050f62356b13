import Base
import Models
import Networks
import Tasks
import Tensors
import Testing
import Vision

@Suite struct MotionForecastTests {
  private static func network() -> MotionLSTM {
    var config = MotionLSTM.Config()
    config.hidden = 8
    var random = Random(seed: 4, stream: .test)
    return MotionLSTM(config, &random)
  }

  private static func box(_ x: Double) -> BoundingBox { BoundingBox(x: x, y: 50, width: 20, height: 40) }

  /// What is forecast of a track does not depend on the others, nor on frames before its history.
  @Test func tracksDoNotMeet() {
    let forecaster = MotionForecaster(Self.network(), history: 4)
    let long: [BoundingBox?] = [Self.box(0), Self.box(5), nil, Self.box(13), Self.box(18), nil, Self.box(29)]
    let short: [BoundingBox?] = [Self.box(100), Self.box(90)]
    let together = forecaster.boxes(after: [long, short, [Self.box(7)]], frames: 3)
    #expect(together.map(\.count) == [3, 3, 3])
    #expect(together[2] == [Self.box(7), Self.box(7), Self.box(7)])
    #expect(together[0] == forecaster.boxes(after: [Array(long.suffix(5))], frames: 3)[0])
    #expect(together[1] == forecaster.boxes(after: [short], frames: 3)[0])
    #expect(together[1].allSatisfy { $0.isFinite && !$0.isEmpty } && together[1][0] != together[1][1])
  }

  /// A gap is filled by the network's own prediction: as if that had been seen.
  @Test func gapsAreFilledByPredictions() {
    let forecaster = MotionForecaster(Self.network(), history: 6)
    let start: [BoundingBox?] = [Self.box(0), Self.box(4), Self.box(9)]
    let next = forecaster.boxes(after: [start], frames: 2)[0]
    let filled = forecaster.boxes(after: [start + [next[0]]])[0][0]
    let missed = forecaster.boxes(after: [start + [nil]])[0][0]
    for box in [filled, missed] {
      #expect(abs(box.x - next[1].x) < 1e-4 && abs(box.width - next[1].width) < 1e-4)
    }
  }
}
