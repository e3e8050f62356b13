import Base
import Data
import Testing
import Vision

struct ColorJitterTests {
  private let colors: [UInt8] = [
    255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 200, 30, 123, 45, 67, 200, 199, 198, 1, 2, 3, 250, 128, 114, 77, 77, 77, 0, 0, 0, 255, 255, 255,
    64, 224, 208,
  ]

  private func apply(_ changes: ColorJitter.Change...) -> [UInt8] {
    var images = [Image(height: 3, width: 4, channels: 3, pixels: colors)]
    ColorJitter(changes: changes).apply(to: &images)
    return images[0].pixels
  }

  /// Expected values computed with Pillow 13 (ImageEnhance, and the H channel of its HSV mode): equal to the last bit.
  @Test func equalsPillow() {
    #expect(apply(.brightness(1.3)) == [
      255, 0, 0, 0, 255, 0, 0, 0, 255, 13, 255, 39, 159, 58, 87, 255, 255, 255, 1, 2, 3, 255, 166, 148, 100, 100, 100,
      0, 0, 0, 255, 255, 255, 83, 255, 255,
    ])
    #expect(apply(.contrast(0.7)) == [
      211, 33, 33, 33, 211, 33, 33, 33, 211, 40, 173, 54, 119, 64, 79, 173, 172, 171, 33, 34, 35, 208, 122, 112, 86, 86,
      86, 33, 33, 33, 211, 211, 211, 77, 189, 178,
    ])
    #expect(apply(.saturation(1.25)) == [
      255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 219, 6, 136, 38, 66, 200, 199, 197, 0, 2, 3, 255, 119, 101, 77, 77, 77, 0, 0,
      0, 255, 255, 255, 36, 236, 216,
    ])
    #expect(apply(.hue(0.1)) == [
      255, 150, 0, 0, 255, 150, 150, 0, 255, 10, 200, 140, 123, 67, 45, 200, 200, 198, 1, 1, 3, 250, 207, 115, 77, 77,
      77, 0, 0, 0, 255, 255, 255, 64, 147, 224,
    ])
    #expect(apply(.hue(-0.15)) == [
      255, 0, 222, 228, 255, 0, 0, 228, 255, 162, 200, 10, 109, 45, 123, 200, 198, 199, 1, 3, 2, 250, 115, 220, 77, 77,
      77, 0, 0, 0, 255, 255, 255, 64, 224, 64,
    ])
    #expect(apply(.brightness(0.8), .contrast(1.2), .saturation(0.6), .hue(0.05)) == [
      163, 66, 27, 53, 189, 92, 49, 10, 146, 42, 145, 76, 80, 35, 35, 173, 173, 172, 0, 0, 0, 188, 139, 109, 55, 55, 55,
      0, 0, 0, 227, 227, 227, 85, 161, 177,
    ])
  }

  /// The contrast of stacked pictures turns around their common mean grey.
  @Test func stackedImagesShareTheMean() {
    var images = [UInt8(0), 200].map { Image(height: 1, width: 1, channels: 3, pixels: [$0, $0, $0]) }
    ColorJitter(changes: [.contrast(0)]).apply(to: &images)
    #expect(images.map(\.pixels) == [[100, 100, 100], [100, 100, 100]])
  }

  /// Going to HSV and back loses at most what its 8-bit channels cannot hold.
  @Test func hueIsACircle() {
    for hue in stride(from: 0, through: 255, by: 5) {
      let color = HSV8(hue: UInt8(hue), saturation: 255, value: 255), (r, g, b) = color.rgb
      let back = HSV8(r: r, g: g, b: b)
      #expect(back.value == 255 && back.saturation == 255)
      let distance = abs(Int(back.hue) - hue)
      #expect(min(distance, 255 - distance) <= 1)  // truncation
    }
    #expect(HSV8(r: 5, g: 5, b: 5) == HSV8(hue: 0, saturation: 0, value: 5))
  }

  @Test func drawsFactorsAndOrder() {
    let settings = FlowAugmentation()
    var least = [Double](repeating: .infinity, count: 4), largest = [Double](repeating: -.infinity, count: 4)
    var orders: [[Int]: Int] = [:]
    for sample in 0..<4800 {
      var random = Random(seed: 5, stream: .test, sample: sample)
      let changes = ColorJitter(settings, random: &random).changes
      var order: [Int] = []
      for change in changes {
        let (kind, value) = switch change {
        case .brightness(let f): (0, f)
        case .contrast(let f): (1, f)
        case .saturation(let f): (2, f)
        case .hue(let f): (3, f)
        }
        order.append(kind)
        least[kind] = min(least[kind], value)
        largest[kind] = max(largest[kind], value)
      }
      orders[order, default: 0] += 1
    }
    // 4800 draws leave a gap of 0.5 % of the range at an end with probability 0.995^4800 < 1e-10.
    let ranges = [(0.6, 1.4), (0.6, 1.4), (0.6, 1.4), (-0.5 / 3.14, 0.5 / 3.14)]
    for (kind, range) in ranges.enumerated() {
      let gap = 0.005 * (range.1 - range.0)
      #expect(least[kind] >= range.0 && least[kind] < range.0 + gap && largest[kind] < range.1 && largest[kind] > range.1 - gap)
    }
    #expect(orders.count == 24)
    for count in orders.values { #expect(abs(count - 200) < 70) }  // five standard deviations of binomial(4800, 1/24)
  }
}
