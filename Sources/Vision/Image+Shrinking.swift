extension Image {
  /// The picture at most so wide, in its proportions; every pixel is the mean of those it covers, rounded half up.
  ///
  /// Without this, thin structures of a large picture would flicker in its small one.
  public func shrunk(toWidth limit: Int) -> Image {
    guard width > limit, limit > 0 else { return self }
    let rows = max(1, (height * limit + width / 2) / width)
    var result = Image(height: rows, width: limit, channels: channels)
    for y in 0..<rows {
      let top = y * height / rows, bottom = max(top + 1, (y + 1) * height / rows)
      for x in 0..<limit {
        let left = x * width / limit, right = max(left + 1, (x + 1) * width / limit), count = (bottom - top) * (right - left)
        for channel in 0..<channels {
          var sum = 0
          for row in top..<bottom {
            for column in left..<right { sum += Int(pixels[channels * (row * width + column) + channel]) }
          }
          result.pixels[channels * (y * limit + x) + channel] = UInt8((sum + count / 2) / count)
        }
      }
    }
    return result
  }
}
