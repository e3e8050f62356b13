import Base
import Testing
import TestSupport
import Vision

@Suite("Completions that know nothing of pictures") struct HoleFillingTests {
  @Test("the mean of what is known, rounded, channel by channel") func mean() {
    let image = Image(height: 1, width: 4, channels: 3, pixels: [10, 0, 1, 20, 0, 2, 99, 99, 99, 99, 99, 99])
    let mask = InpaintingMask(height: 1, width: 4, known: [1, 1, 0, 0])
    #expect(image.filledWithMean(mask).pixels == [10, 0, 1, 20, 0, 2, 15, 0, 2, 15, 0, 2])
    #expect(image.filledWithMean(InpaintingMask(height: 1, width: 4, isKnown: false)).pixels.allSatisfy { $0 == 128 })
  }

  @Test("the nearest known pixel, as far as any is nearer", arguments: 1...6) func nearest(seed: UInt64) {
    var random = Random(seed: seed, stream: .test)
    let (height, width) = (13, 17)
    let image = Image.noise(height: height, width: width, seed: seed)
    let mask = InpaintingMask(height: height, width: width, known: (0..<height * width).map { _ in random.chance(0.1) ? 1 : 0 })
    let filled = image.filledFromNearest(mask)
    func distance(_ a: Int, _ b: Int) -> Int {
      let (dx, dy) = (a % width - b % width, a / width - b / width)
      return dx * dx + dy * dy
    }
    let known = mask.known.indices.filter { mask.known[$0] == 1 }
    var farther = 0
    for pixel in mask.known.indices {
      let least = known.map { distance(pixel, $0) }.min() ?? 0
      // Colours of noise tell which pixel was taken.
      let taken = known.filter { image[rgb: $0] == filled[rgb: pixel] }.map { distance(pixel, $0) }.min()
      #expect(taken != nil)
      if let taken, taken > least { farther += 1 }
    }
    #expect(farther <= 2, "\(farther) of \(height * width) pixels are from farther away than need be")
    #expect(image.filledFromNearest(InpaintingMask(height: height, width: width, isKnown: true)) == image)
  }
}
