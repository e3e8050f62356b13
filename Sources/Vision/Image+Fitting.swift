extension Image {
  /// The picture reduced to a width in its proportions; every pixel is the mean of those it covers, rounded half up, so that thin
  /// structures fade instead of breaking up. A picture that is no wider stays as it is.
  public func shrunk(toWidth limit: Int) -> Image {
    guard width > limit, limit > 0 else { return self }
    let rows = max(1, (height * limit + width / 2) / width)
    var result = Image(height: rows, width: limit, channels: channels)
    for y in 0..<rows {
      let top = y * height / rows
      let bottom = max(top + 1, (y + 1) * height / rows)
      for x in 0..<limit {
        let left = x * width / limit
        let right = max(left + 1, (x + 1) * width / limit)
        let count = (bottom - top) * (right - left)
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

  /// The picture enlarged to a width in its proportions; every pixel takes the nearest one. A picture that is no narrower stays as it is.
  public func enlarged(toWidth target: Int) -> Image {
    guard target > width, width > 0 else { return self }
    let rows = max(1, (height * target + width / 2) / width)
    var result = Image(height: rows, width: target, channels: channels)
    for y in 0..<rows {
      let row = (2 * y + 1) * height / (2 * rows)
      for x in 0..<target {
        let source = channels * (row * width + (2 * x + 1) * width / (2 * target))
        let at = channels * (y * target + x)
        for channel in 0..<channels { result.pixels[at + channel] = pixels[source + channel] }
      }
    }
    return result
  }

  /// The picture at this width on a sheet: shrunk or enlarged.
  public func fitted(width target: Int) -> Image { width > target ? shrunk(toWidth: target) : enlarged(toWidth: target) }
}
