import Data
import Foundation
import Testing
import Vision

@Suite struct FlowSceneTests {
  /// A surface of one colour with the given opacity everywhere.
  private func plain(_ side: Int, _ red: Float, opacity: Float = 1) -> Texture {
    Texture(height: side, width: side, texels: Array(repeating: SIMD4(red, 0, 0, opacity), count: side * side))
  }

  private func moved(_ x: Double, _ y: Double) -> AffineMotion { AffineMotion(a: SIMD2(1, 0), b: SIMD2(0, 1), t: SIMD2(x, y)) }

  /// A still background (red 10), a square (100) at columns and rows 20...40 that moves 10 right, a square (200) at 30...50 in front of
  /// it that moves 5 up.
  private var scene: FlowScene {
    FlowScene(height: 64, width: 64, layers: [
      SceneLayer(texture: plain(16, 10), wraps: true, placement: .identity, motion: .identity),
      SceneLayer(texture: plain(20, 100), wraps: false, placement: moved(20, 20), motion: moved(10, 0)),
      SceneLayer(texture: plain(20, 200), wraps: false, placement: moved(30, 30), motion: moved(0, -5)),
    ])
  }

  @Test func laterLayersCoverEarlierOnesInBothImages() {
    let first = scene.render(second: false), second = scene.render(second: true)
    func red(_ frame: FlowScene.Frame, _ y: Int, _ x: Int) -> Float { frame.colors[y * 64 + x].x.rounded() }
    #expect(red(first, 5, 5) == 10 && red(first, 25, 25) == 100 && red(first, 45, 45) == 200)
    #expect(red(first, 35, 35) == 200, "where both squares lie, the front one is seen")
    #expect(red(second, 25, 25) == 10, "uncovered: the background")
    #expect(red(second, 23, 45) == 100, "newly covered by the middle square")
    #expect(red(second, 27, 35) == 200, "the front square moved up over the middle one")
    #expect(first.owners[35 * 64 + 35] == 2 && first.owners[25 * 64 + 25] == 1 && first.owners[0] == 0)
  }

  @Test func flowIsThatOfTheLayerOnTop() {
    let flow = scene.flow(owners: scene.render(second: false).owners)
    func vector(_ y: Int, _ x: Int) -> [Float] { [flow[2 * (y * 64 + x)], flow[2 * (y * 64 + x) + 1]] }
    #expect(vector(5, 5) == [0, 0])
    #expect(vector(25, 25) == [10, 0])
    #expect(vector(35, 35) == [0, -5], "the middle square is hidden there")
    #expect(vector(45, 45) == [0, -5])
  }

  @Test func halfTransparentLayersMix() {
    let mixed = FlowScene(height: 32, width: 32, layers: [
      SceneLayer(texture: plain(16, 0), wraps: true, placement: .identity, motion: .identity),
      SceneLayer(texture: plain(20, 200, opacity: 0.25), wraps: false, placement: moved(5, 5), motion: .identity),
    ]).render(second: false)
    #expect(abs(mixed.colors[15 * 32 + 15].x - 50) < 1e-3)
    #expect(mixed.owners[15 * 32 + 15] == 0, "less than half covered: the background's flow counts")
  }

  /// A wave of 40 px and ±60 levels under rotation, zoom, shear and shift. Bilinear interpolation errs by at most 1/8 of the second
  /// derivative per axis: the wave runs along x, and the map changes its frequency by less than 15 %, so the error is below
  /// 60 · (1.15 · 2π/40)² / 8 · 2 = 0.49. Texels are whole px of a periodic texture of 80, on which splines damp the wave equally in both.
  @Test func affineFlowIsExact() {
    let wave = (0..<80).map { (x: Int) -> Float in Float(128 + 60 * sin(2 * Double.pi * Double(x) / 40)) }
    let texels = (0..<80 * 80).map { (index: Int) -> SIMD4<Float> in SIMD4(wave[index % 80], 0, 0, 1) }
    let motion = AffineMotion.about(
      SIMD2(48, 40), rotation: 0.1, zoom: 1.06, shear: SIMD2(0.03, -0.02), shift: SIMD2(3.3, -2.7))
    let scene = FlowScene(height: 80, width: 96, layers: [
      SceneLayer(texture: Texture(height: 80, width: 80, texels: texels), wraps: true,
                 placement: .about(SIMD2(0, 0), rotation: 0.4, zoom: 1, shift: SIMD2(-30.3, 11.2)), motion: motion),
    ])
    let first = scene.render(second: false), second = scene.render(second: true)
    let flow = FlowField(height: 80, width: 96, vectors: scene.flow(owners: first.owners))
    var worst: Float = 0, count = 0
    for y in 0..<80 {
      for x in 0..<96 {
        let vector = flow[y, x]
        let target: SIMD2<Float> = SIMD2(Float(x) + vector.u, Float(y) + vector.v)
        guard target.x >= 0, target.y >= 0, target.x < 95, target.y < 79 else { continue }
        let left = Int(target.x), top = Int(target.y), a = target.x - Float(left), b = target.y - Float(top)
        func red(_ y: Int, _ x: Int) -> Float { second.colors[y * 96 + x].x }
        let upper: Float = red(top, left) * (1 - a) + red(top, left + 1) * a
        let lower: Float = red(top + 1, left) * (1 - a) + red(top + 1, left + 1) * a
        let warped: Float = upper * (1 - b) + lower * b
        worst = max(worst, abs(first.colors[y * 96 + x].x - warped))
        count += 1
      }
    }
    #expect(count > 6000)
    #expect(worst < 0.49, "largest difference \(worst) levels")
  }

  @Test func affineMotionsComposeAndInvert() {
    let f = AffineMotion.about(SIMD2(10, 20), rotation: 0.3, zoom: 1.2, shear: SIMD2(0.1, -0.05), shift: SIMD2(4, -7))
    let g = AffineMotion.about(SIMD2(-5, 2), rotation: -1, zoom: 0.8)
    let p = SIMD2(33.0, -12.0)
    func isClose(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> Bool {
      let difference: SIMD2<Double> = a - b
      return (difference * difference).sum() < 1e-20
    }
    #expect(isClose(f.after(g)(p), f(g(p))))
    #expect(isClose(f.inverse(f(p)), p))
    #expect(isClose(f(SIMD2(10, 20)), SIMD2(14, 13)), "the centre moves by the shift alone")
    #expect(isClose(f.scaled(by: 0.5).displacement(at: p), f.displacement(at: p) / 2))
    let quarter = AffineMotion.about(SIMD2(0, 0), rotation: .pi / 2, zoom: 1)
    #expect(isClose(quarter(SIMD2(1, 0)), SIMD2(0, 1)), "with y down, positive turns are clockwise")
  }
}
