extension Image {
  /// Mean and standard deviation of the red, green and blue of ImageNet's pictures, as shares of 255; published networks expect pictures
  /// that are normalised by them.
  public static let imageNetMean = [0.485, 0.456, 0.406]
  public static let imageNetDeviation = [0.229, 0.224, 0.225]

  /// The samples of an RGB picture, normalised: `(x / 255 - mean) / deviation`, row-major, interleaved.
  public func imageNetNormalized() -> [Float] {
    let scale = Image.imageNetDeviation.map { Float(1 / (255 * $0)) }
    let shift = zip(Image.imageNetMean, Image.imageNetDeviation).map { Float(-$0 / $1) }
    return [Float](unsafeUninitializedCapacity: pixels.count) { target, filled in
      pixels.withUnsafeBufferPointer { source in
        for start in stride(from: 0, to: source.count - 2, by: 3) {
          for c in 0..<3 { target[start + c] = Float(source[start + c]) * scale[c] + shift[c] }
        }
      }
      filled = pixels.count
    }
  }
}
