import Drawing
import Testing
import Vision

/// Fields of damaged or diverged values become pictures, never a crash.
@Suite struct ExtremeFlowTests {
  static let values: [Float] = [0, .leastNonzeroMagnitude, 1e9, 3e38, -3e38, .infinity, -.infinity, .nan]

  private func field(_ value: Float) -> FlowField {
    var flow = FlowField(height: 12, width: 16, vectors: (0..<384).map { Float($0 % 5) - 2 })
    for pixel in [3, 50, 100] { (flow.vectors[2 * pixel], flow.vectors[2 * pixel + 1]) = (value, -value) }
    flow.isValid[7] = false
    return flow
  }

  @Test(arguments: values) func arePictures(value: Float) throws {
    let flow = field(value), plain = field(1), picture = Image(height: 12, width: 16, channels: 3)
    #expect(FlowColorWheel.image(of: flow).height == 12)
    #expect(try FlowColorWheel.figure(of: flow).image().width >= 16)
    #expect(EndPointErrorMap.image(predicted: flow, truth: plain).width == 16)
    #expect(try EndPointErrorMap.figure(predicted: plain, truth: flow).image().height >= 12)
    #expect(try ValidationFigure(image1: picture, image2: picture.warped(by: flow), truth: flow, predicted: plain).image().height >= 12)
    #expect(try ValidationFigure(image1: picture, image2: picture, truth: plain, predicted: flow).image().height >= 12)
    #expect(try IterationFigure(truth: flow, updates: [plain, flow]).image().height >= 12)
    #expect(flow.forwardInterpolated().vectors.count == 384)
  }
}
