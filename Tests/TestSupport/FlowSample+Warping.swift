import Data
import Vision

extension FlowSample {
  /// Mean absolute difference of the grey values of image 1 and of image 2 along `factor` times the flow, over valid vectors that
  /// stay inside the image by `margin` pixels.
  public func warpingError(times factor: Float, margin: Int = 0) -> Double {
    let differences = differences(times: factor, margin: margin)
    return differences.reduce(0) { $0 + Double($1) } / Double(differences.count)
  }

  /// The absolute differences behind `warpingError`.
  public func differences(times factor: Float, margin: Int) -> [Float] {
    let (h, w) = (flow.height, flow.width), first = grey(image1), second = grey(image2), edge = Float(margin)
    var differences: [Float] = []
    for y in margin..<h - margin {
      for x in margin..<w - margin where flow.isValid[y * w + x] {
        let px = Float(x) + factor * flow[y, x].u, py = Float(y) + factor * flow[y, x].v
        guard px >= edge, py >= edge, px <= Float(w - 1) - edge, py <= Float(h - 1) - edge else { continue }
        let x0 = Int(px), y0 = Int(py), x1 = min(x0 + 1, w - 1), y1 = min(y0 + 1, h - 1)
        let dx = px - Float(x0), dy = py - Float(y0)
        let above = second[y0 * w + x0] * (1 - dx) + second[y0 * w + x1] * dx
        let below = second[y1 * w + x0] * (1 - dx) + second[y1 * w + x1] * dx
        differences.append(abs(above * (1 - dy) + below * dy - first[y * w + x]))
      }
    }
    return differences
  }

  private func grey(_ image: Image) -> [Float] {
    stride(from: 0, to: image.pixels.count, by: 3).map { i in
      0.299 * Float(image.pixels[i]) + 0.587 * Float(image.pixels[i + 1]) + 0.114 * Float(image.pixels[i + 2])
    }
  }
}
