import Base
import Data
import Foundation
import Synthesis
import Testing
import Vision

@Suite struct FlowSceneTests {
  /// A surface of one colour with the given opacity everywhere.
  private func plain(_ side: Int, _ red: Float, opacity: Float = 1) -> Texture {
    Texture(height: side, width: side, texels: Array(repeating: SIMD4(red, 0, 0, opacity), count: side * side))
  }

  private func moved(_ x: Double, _ y: Double) -> Homography { Homography(a: SIMD2(1, 0), b: SIMD2(0, 1), t: SIMD2(x, y)) }

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
    let motion = Homography.about(
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
    let f = Homography.about(SIMD2(10, 20), rotation: 0.3, zoom: 1.2, shear: SIMD2(0.1, -0.05), shift: SIMD2(4, -7))
    let g = Homography.about(SIMD2(-5, 2), rotation: -1, zoom: 0.8)
    let p = SIMD2(33.0, -12.0)
    func isClose(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> Bool {
      let difference: SIMD2<Double> = a - b
      return (difference * difference).sum() < 1e-20
    }
    #expect(isClose(f.after(g)(p), f(g(p))))
    #expect(isClose(f.inverse(f(p)), p))
    #expect(isClose(f(SIMD2(10, 20)), SIMD2(14, 13)), "the centre moves by the shift alone")
    #expect(isClose(f.scaled(by: 0.5).displacement(at: p), f.displacement(at: p) / 2))
    let quarter = Homography.about(SIMD2(0, 0), rotation: .pi / 2, zoom: 1)
    #expect(isClose(quarter(SIMD2(1, 0)), SIMD2(0, 1)), "with y down, positive turns are clockwise")
  }

  /// A point of a plane before a moving, turning camera: projected, moved and projected again in three dimensions.
  @Test func planesMoveAsTheirPoints() {
    var camera = Camera(focal: 300, center: SIMD2(190, 120))
    (camera.yaw, camera.pitch, camera.roll, camera.translation) = (0.03, -0.02, 0.05, SIMD3(0.1, -0.02, 0.3))
    let velocity = SIMD3(0.2, 0, -0.1)
    let planes: [(normal: SIMD3<Double>, distance: Double, points: [SIMD3<Double>])] = [
      (SIMD3(0, 1, 0), 1, [SIMD3(-2, 1, 5), SIMD3(0.3, 1, 2)]), (SIMD3(0, 0, 1), 4, [SIMD3(1, -1, 4), SIMD3(-1, 0.5, 4)]),
      (SIMD3(-1, 0, 0), 2, [SIMD3(-2, 0.2, 6), SIMD3(-2, -1, 3)]),
    ]
    func project(_ p: SIMD3<Double>) -> SIMD2<Double> { SIMD2(p.x, p.y) / p.z * 300 + SIMD2(190, 120) }
    for plane in planes {
      let motion = camera.motion(ofPlane: plane.normal, distance: plane.distance, velocity: velocity)
      for point in plane.points {
        var p = point + velocity
        // Yaw to the right moves the scene to the left, and so on: about y, then x, then z.
        p = SIMD3(cos(0.03) * p.x - sin(0.03) * p.z, p.y, sin(0.03) * p.x + cos(0.03) * p.z)
        p = SIMD3(p.x, cos(-0.02) * p.y + sin(-0.02) * p.z, -sin(-0.02) * p.y + cos(-0.02) * p.z)
        p = SIMD3(cos(0.05) * p.x + sin(0.05) * p.y, -sin(0.05) * p.x + cos(0.05) * p.y, p.z)
        let miss: SIMD2<Double> = motion(project(point)) - project(p - camera.translation)
        #expect((miss * miss).sum() < 1e-16, "plane \(plane.normal), point \(point)")
      }
    }
    let far = camera.motion(ofPlane: SIMD3(0, 0, 1), distance: .infinity)
    let away: SIMD2<Double> = far.displacement(at: SIMD2(190, 120)) - SIMD2(-300 * 0.03, -300 * 0.02)
    #expect((away * away).sum() < 1, "what is far away moves by the turn alone")
  }

  @Test func projectiveMotionsComposeAndInvert() {
    let lean = Homography.tilted(SIMD2(0.001, -0.0004), about: SIMD2(50, 40)), turn = Homography.about(SIMD2(9, 3), rotation: 0.2, zoom: 1.1)
    let both = turn.after(lean), p = SIMD2(120.0, -30.0)
    func isClose(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> Bool { ((a - b) * (a - b)).sum() < 1e-18 }
    #expect(isClose(both(p), turn(lean(p))) && isClose(both.inverse(both(p)), p))
    #expect(isClose(lean(SIMD2(50, 40)), SIMD2(50, 40)), "the centre stays")
    #expect(both.scaled(by: 0)(p) == p && isClose(both.scaled(by: 1)(p), both(p)))
    #expect(!lean.isAffine && turn.isAffine && turn.inverse.isAffine)
  }

  @Test func deformationsAreUndone() {
    var random = Random(seed: 3, stream: .test)
    for strength in [0.02, 0.06, 0.1] {
      let deformation = Deformation(cell: 24, strength: strength, &random)
      var largest = 0.0
      for _ in 0..<300 {
        let p = SIMD2(random.uniform(-200, 500), random.uniform(-200, 500)), d = deformation.displacement(at: p)
        largest = max(largest, abs(d.x), abs(d.y))
        let miss: SIMD2<Double> = deformation.source(of: p + d, time: 1, near: p + d) - p
        #expect((miss * miss).sum() < 1e-6, "strength \(strength) at \(p)")
      }
      #expect(largest <= deformation.reach && largest > 0.2 * deformation.reach)
    }
  }

  /// A square that moves 12 px with the shutter open a quarter of the time is smeared over 3 px in that direction and in no other.
  @Test func motionBlurFollowsTheMotion() {
    var blurred = FlowScene(height: 64, width: 64, layers: [
      SceneLayer(texture: plain(16, 0), wraps: true, placement: .identity, motion: .identity),
      SceneLayer(texture: plain(20, 200), wraps: false, placement: moved(20, 20), motion: moved(12, 0)),
    ])
    let sharp = blurred.render(second: true)
    blurred.shutter = 0.25
    let smeared = blurred.render(second: true)
    func red(_ frame: FlowScene.Frame, _ y: Int, _ x: Int) -> Float { frame.colors[y * 64 + x].x }
    #expect(smeared.owners == sharp.owners, "the flow is that of the middle of the exposure")
    #expect(red(sharp, 30, 31) == 0 && red(sharp, 30, 32) > 199)
    #expect((20...100).contains(red(smeared, 30, 31)) && (100...180).contains(red(smeared, 30, 32)), "the left edge")
    #expect(red(smeared, 30, 29) == 0 && red(smeared, 30, 34) > 199, "no wider than the way")
    #expect(red(smeared, 19, 42) == red(sharp, 19, 42) && red(smeared, 21, 42) > 199, "nor across it")
    let sum = (0..<64).map { red(smeared, 30, $0) }.reduce(0, +), before = (0..<64).map { red(sharp, 30, $0) }.reduce(0, +)
    #expect(abs(sum - before) < before * 0.02, "light is kept")
  }

  @Test func fogHidesWhatIsFar() {
    var scene = FlowScene(height: 32, width: 32, layers: [SceneLayer(texture: plain(16, 40), wraps: true, placement: .identity, motion: .identity)])
    scene.layers[0].haze = .init(color: SIMD4(200, 200, 200, 0), density: 0.5, depth: 2)
    let color = scene.render(second: false).colors[100]
    #expect(abs(color.x - (200 + (40 - 200) * exp(-1))) < 1e-3)
  }

  /// A floor in perspective: what is twice as far away is half as large, and a reduced texture keeps its mean.
  @Test func recedingSurfacesKeepTheirMean() {
    let texels = (0..<64 * 64).map { (i: Int) -> SIMD4<Float> in SIMD4((i / 64 + i % 64) % 2 == 0 ? 0 : 200, 0, 0, 1) }
    let texture = Texture(height: 64, width: 64, texels: texels)
    let halves = texture.reductions(3)
    #expect(halves.map(\.width) == [32, 16, 8])
    #expect(halves.allSatisfy { abs($0.value(at: SIMD2(3.3, 4.1)).x - 100) < 1e-3 })
    // A gradient stays where it is: the point p is (p - ½)/2 of the next level.
    let ramp = Texture(height: 64, width: 64, texels: (0..<64 * 64).map { SIMD4(Float($0 % 64), 0, 0, 1) }).reductions(1)[0]
    let found: Float = ramp.value(at: SIMD2((20.3 - 0.5) / 2, 8)).x
    #expect(abs(found - 20.3) < 1e-3)
  }
}
