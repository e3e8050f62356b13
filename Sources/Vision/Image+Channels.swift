extension Image {
  /// The image with three channels: grey is repeated, alpha is dropped.
  public func rgb() -> Image {
    if channels == 3 { return self }
    let count = height * width
    let channels = channels
    let pixels = self.pixels.withUnsafeBufferPointer { source in
      [UInt8](unsafeUninitializedCapacity: 3 * count) { target, filled in
        for i in 0..<count {
          for c in 0..<3 { target[3 * i + c] = source[channels * i + (channels >= 3 ? c : 0)] }
        }
        filled = 3 * count
      }
    }
    return Image(height: height, width: width, channels: 3, pixels: pixels)
  }
}
