/// A colour by hue, saturation and value in 8 bits each, as picture files hold it: the hue circle has 256 steps.
///
/// With `M` and `m` the largest and smallest of R, G, B: `V = M`, `S = trunc(255 (M - m) / M)`, `H = trunc(255 h / 6)` with
/// `h` in `[0, 6)` the place on the hexagon red, yellow, green, cyan, blue, magenta.
///
/// - Source: A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978; rounding as documented above.
package struct HSV8: Equatable {
  package var hue: UInt8
  package var saturation: UInt8
  package var value: UInt8

  package init(hue: UInt8, saturation: UInt8, value: UInt8) {
    self.hue = hue
    self.saturation = saturation
    self.value = value
  }

  package init(r: UInt8, g: UInt8, b: UInt8) {
    let largest = max(r, g, b)
    let smallest = min(r, g, b)
    value = largest
    guard largest > smallest else {
      hue = 0
      saturation = 0
      return
    }
    let range = Float(largest - smallest)
    saturation = UInt8(Double(range / Float(largest)) * 255)
    func distance(_ sample: UInt8) -> Float { Float(largest - sample) / range }
    let place: Float
    if r == largest {
      place = distance(b) - distance(g)
    } else if g == largest {
      place = Float(2 + Double(distance(r)) - Double(distance(b)))
    } else {
      place = Float(4 + Double(distance(g)) - Double(distance(r)))
    }
    let shifted = Double(place) / 6 + 1  // in [5/6, 2)
    let turns = Float(shifted >= 1 ? shifted - 1 : shifted)
    hue = UInt8(Double(turns) * 255)
  }

  package var rgb: (UInt8, UInt8, UInt8) {
    guard saturation > 0 else { return (value, value, value) }
    let place = Double(hue) * 6 / 255
    let sector = Int(place)
    let part = Float(place - Double(sector))
    let s = Float(Double(saturation) / 255)
    let v = Double(value)
    func level(_ loss: Double) -> UInt8 { UInt8(v * (1 - loss) + 0.5) }
    let low = level(Double(s))
    let falling = level(Double(s * part))
    let rising = level(Double(s) * (1 - Double(part)))
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
