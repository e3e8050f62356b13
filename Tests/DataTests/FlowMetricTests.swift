import Data
import Testing
import TestSupport
import Vision

/// Flow metrics on real ground truth, against the definitions worked out in float64 with NumPy 2.4 from the files' own bytes.
@Suite(.enabled(if: Samples.areThere)) struct FlowMetricTests {
  struct Scores: Sendable, CustomTestStringConvertible {
    let file: String
    let pixelCount: Int
    /// epe, below 1, 3, 5 px, outliers in per cent.
    let scores: [Double]
    /// s0-10, s10-40, s40+.
    let ranges: [Double?]
    var testDescription: String { file }
  }

  /// The flow said to be zero everywhere: the error is the length of the true vector, which the samples' manifest lists too.
  static let zero = [
    Scores(file: "flow_rubberwhale/RubberWhale.flo", pixelCount: 222_970, scores: [1.25603893, 0.256321478, 0.983392385, 1, 1.660761537],
           ranges: [1.25603893, nil, nil]),
    Scores(file: "flow_sintel_alley1/frame_0001.flo", pixelCount: 446_464,
           scores: [2.80253163, 0.000407648, 0.69896565, 0.754582676, 30.103434991], ranges: [2.80253163, nil, nil]),
    Scores(file: "flow_chairs/0000002-gt.flo", pixelCount: 196_608,
           scores: [4.352625277, 0.271779378, 0.916966756, 0.948857625, 8.302307129], ranges: [1.349594138, 24.886822287, 73.240486983]),
    Scores(file: "flow_chairs/0000006-gt.flo", pixelCount: 196_608,
           scores: [2.99234656, 0.784006755, 0.784403483, 0.855758667, 21.559651693], ranges: [0.596717637, 15.204566816, 108.494896169]),
    Scores(file: "flow_tiny/00001_flow.flo", pixelCount: 2500, scores: [1.78331099, 0, 0.9672, 0.9672, 3.28],
           ranges: [1.440014227, 11.906378952, nil]),
    Scores(file: "flow_tiny/0000000-flow_01.flo", pixelCount: 2500, scores: [0.295046355, 0.9972, 0.9972, 0.9972, 0.28],
           ranges: [0.230321673, 23.346279281, nil]),
    Scores(file: "flow_tiny/0000000-flow_10.flo", pixelCount: 2500, scores: [0.227717954, 1, 1, 1, 0], ranges: [0.227717954, nil, nil]),
    Scores(file: "flow_kitti_000010/kitti_noc_000010_10.png", pixelCount: 109_063,
           scores: [8.896444416, 0.077899929, 0.256301404, 0.421673712, 74.36802582], ranges: [4.46671903, 14.435524, 41.289989974]),
    Scores(file: "flow_kitti_000010/kitti_occ_000010_10.png", pixelCount: 111_664,
           scores: [9.028454931, 0.076085399, 0.250331351, 0.411878493, 74.965073793], ranges: [4.498265874, 14.652596265, 41.289989974]),
  ]

  /// The flow said to be (1.5, -0.75) everywhere.
  static let constant = [
    Scores(file: "flow_rubberwhale/RubberWhale.flo", pixelCount: 222_970,
           scores: [1.725056853, 0.489657801, 0.896030856, 0.989307979, 10.396914383], ranges: [1.725056853, nil, nil]),
    Scores(file: "flow_chairs/0000006-gt.flo", pixelCount: 196_608,
           scores: [4.103604023, 2.0345e-05, 0.855682373, 0.858479818, 14.431762695], ranges: [1.696751676, 16.457253067, 108.119074476]),
    Scores(file: "flow_kitti_000010/kitti_occ_000010_10.png", pixelCount: 111_664,
           scores: [9.665246092, 0.013361513, 0.188126881, 0.347668004, 81.187311936], ranges: [5.345104068, 15.256447213, 39.780893331]),
  ]

  private func constantFlow(_ u: Float, _ v: Float, like truth: FlowField) -> FlowField {
    FlowField(height: truth.height, width: truth.width, vectors: (0..<truth.vectors.count).map { $0 % 2 == 0 ? u : v })
  }

  private func check(_ score: EndPointError, _ expected: Scores) {
    #expect(score.pixelCount == expected.pixelCount)
    let found = [score.mean, score.fractionBelow1, score.fractionBelow3, score.fractionBelow5, 100 * score.outlierShare]
    for (a, b) in zip(found, expected.scores) { #expect(abs(a - b) < 1e-6, "\(found), expected \(expected.scores)") }
    for (range, value) in zip(MotionRange.allCases, expected.ranges) {
      let mean = score.mean(of: range)
      #expect((mean == nil) == (value == nil), "\(range.name)")
      if let mean, let value { #expect(abs(mean - value) < 1e-6, "\(range.name): \(mean), expected \(value)") }
    }
  }

  @Test(arguments: zero) func zeroFlow(expected: Scores) throws {
    let truth = try FlowField(contentsOf: Samples.path(expected.file))
    var score = EndPointError()
    score.add(predicted: constantFlow(0, 0, like: truth), truth: truth)
    check(score, expected)
    #expect(score.meanOfImages == score.mean)
  }

  @Test(arguments: constant) func constantFlow(expected: Scores) throws {
    let truth = try FlowField(contentsOf: Samples.path(expected.file))
    var score = EndPointError()
    score.add(predicted: constantFlow(1.5, -0.75, like: truth), truth: truth)
    check(score, expected)
  }

  /// All nine fields together: one pool for most scores, the mean of the images' means for KITTI's.
  @Test func poolsOfAllFiles() throws {
    var score = EndPointError()
    for file in Self.zero.map(\.file) {
      let truth = try FlowField(contentsOf: Samples.path(file))
      score.add(predicted: constantFlow(0, 0, like: truth), truth: truth)
    }
    check(score, Scores(
      file: "all", pixelCount: Self.zero.reduce(0) { $0 + $1.pixelCount },
      scores: [3.842008341477609, 0.2222481305345126, 0.7197819776787409, 0.7855574156174445, 28.021337431838973],
      ranges: [2.1879153801145175, 14.845974993193904, 54.68961412665391]))
    #expect(abs(score.meanOfImages - 3.514946338108383) < 1e-6)
  }

  /// The second frame warped back by the true flow comes close to the first: mean difference of grey values where the flow stays inside.
  /// Counts and the difference without warping as in the samples' manifest; that with warping from NumPy, rounded to 8 bits as pictures are
  /// (the manifest has it unrounded: 1.281, 2.630, 3.843, 5.827).
  @Test(arguments: [
    ("flow_rubberwhale/", "RubberWhale.flo", "RubberWhale1.png", "RubberWhale2.png", 222_417, [1.24861, 5.580]),
    ("flow_sintel_alley1/", "frame_0001.flo", "frame_0001.png", "frame_0002.png", 442_889, [2.60227, 10.114]),
    ("flow_chairs/", "0000002-gt.flo", "0000002-img0.ppm", "0000002-img1.ppm", 189_748, [3.81796, 9.349]),
    ("flow_chairs/", "0000006-gt.flo", "0000006-img0.ppm", "0000006-img1.ppm", 194_842, [5.79064, 10.437]),
  ])
  func trueFlowWarpsTheSecondFrameBack(folder: String, flow: String, first: String, second: String, count: Int, expected: [Double]) throws {
    /// ITU-R 601 luma in 16-bit fixed point.
    func grey(_ name: String) throws -> Image {
      let image = try Image(contentsOf: Samples.path(folder + name)).rgb()
      var pixels: [UInt8] = []
      for i in stride(from: 0, to: image.pixels.count, by: 3) {
        let (r, g, b) = (Int(image.pixels[i]), Int(image.pixels[i + 1]), Int(image.pixels[i + 2]))
        let luma: Int = 19595 * r + 38470 * g + 7471 * b + 32768
        pixels.append(UInt8(luma >> 16))
      }
      return Image(height: image.height, width: image.width, channels: 1, pixels: pixels)
    }
    let flow = try FlowField(contentsOf: Samples.path(folder + flow)), a = try grey(first), b = try grey(second)
    let back = b.warped(by: flow, outside: 0), other = b.warped(by: flow, outside: 255)
    let inside = back.pixels.indices.filter { back.pixels[$0] == other.pixels[$0] }
    #expect(inside.count == count)
    func difference(_ image: Image) -> Double {
      var sum = 0
      for pixel in inside { sum += abs(Int(image.pixels[pixel]) - Int(a.pixels[pixel])) }
      return Double(sum) / Double(inside.count)
    }
    #expect(abs(difference(back) - expected[0]) < 1e-3, "\(difference(back))")
    #expect(abs(difference(b) - expected[1]) < 6e-4, "\(difference(b))")
  }
}
