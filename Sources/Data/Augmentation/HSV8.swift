/// A colour by hue, saturation and value in 8 bits each, as picture files hold it: the hue circle has 256 steps.
///
/// With `M` and `m` the largest and smallest of R, G, B: `V = M`, `S = trunc(255 (M - m) / M)`, `H = trunc(255 h / 6)` with
/// `h` in `[0, 6)` the place on the hexagon red, yellow, green, cyan, blue, magenta.
///
/// - Source: A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978; rounding as documented above.
struct HSV8: Equatable {
  var hue: UInt8
  var saturation: UInt8
  var value: UInt8

  init(hue: UInt8, saturation: UInt8, value: UInt8) {
    self.hue = hue
    self.saturation = saturation
    self.value = value
  }

  init(r: UInt8, g: UInt8, b: UInt8) {
    let largest = max(r, g, b), smallest = min(r, g, b)
    value = largest
    guard largest > smallest else {
      hue = 0
      saturation = 0
      return
    }
    let range = Float(largest - smallest)
    saturation = UInt8(range / Float(largest) * 255)
    func distance(_ sample: UInt8) -> Float { Float(largest - sample) / range }
    var place: Float
    if r == largest {
      place = distance(b) - distance(g)
    } else if g == largest {
      place = 2 + distance(r) - distance(b)
    } else {
      place = 4 + distance(g) - distance(r)
    }
    if place < 0 { place += 6 }
    hue = UInt8(min(place / 6 * 255, 255))
  }

  var rgb: (UInt8, UInt8, UInt8) {
    guard saturation > 0 else { return (value, value, value) }
    let place = Float(hue) * 6 / 255, sector = Int(place), part = place - Float(sector)
    let s = Float(saturation) / 255, v = Float(value)
    func level(_ loss: Float) -> UInt8 { UInt8(min(max((v * (1 - loss)).rounded(), 0), 255)) }
    let low = level(s), falling = level(s * part), rising = level(s * (1 - part))
    switch sector % 6 {
    case 0: return (value, rising, low)
    case 1: return (falling, value, low)
    case 2: return (low, value, rising)
    case 3: return (low, falling, value)
    case 4: return (rising, low, value)
    default: return (value, low, falling)
    }
  }
}
