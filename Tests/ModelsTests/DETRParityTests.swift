import Base
import Models
import Networks
import Tensors
import Testing
import TestSupport
import Vision

/// DETR against the authors' code on PyTorch 2.13: `Tests/Fixtures/make_detr.py`.
@Suite("DETR equals PyTorch") struct DETRParityTests {
  @Test("names and shapes as published", arguments: [
    ("detr_r50_names.json", false, 458, 41_524_768), ("detr_r50_panoptic_names.json", true, 490, 42_899_288),
  ])
  func publishedNames(_ file: String, _ masks: Bool, _ count: Int, _ parameters: Int) throws {
    var random = Random(seed: 0, stream: .test)
    let model = DETRModel(masks ? .panoptic(.resnet50) : DETR.Config(), &random)
    let ours = model.stateDictionary().unshared.entries
    let theirs = try DETRFixture.names(file)
    #expect(theirs.count == count)
    #expect(ours.map { "\($0.name) \($0.shape)" } == theirs.map { "\($0.name) \($0.shape)" })
    #expect(model.parameterCount == parameters)
  }

  @Test("the generated weights and inputs are PyTorch's, and so are the names", arguments: DETRFixture.Case.allCases)
  func inputs(_ item: DETRFixture.Case) throws {
    let it = try DETRFixture(item, .float64)
    let ours = it.model.stateDictionary().unshared.entries
    let names: [String] = try DETRFixture.names(item).map { "\($0.name) \($0.shape)" }
    let ourNames: [String] = ours.map { "\($0.name) \($0.shape)" }
    #expect(ourNames == names)
    func expected(_ name: String) -> UInt64? { it.fixture.file.metadata["fnv1a64.\(name)"].flatMap { UInt64($0, radix: 16) } }
    func bytes(_ values: [Double]) -> [UInt8] {
      values.flatMap { value in withUnsafeBytes(of: Float(value).bitPattern.littleEndian, Array.init) }
    }
    let (h, w) = (it.images.canvas.height, it.images.canvas.width)
    let pixels = it.images.pixels.channelsFirst.doubles
    var images: [Double] = []
    for (i, size) in it.images.sizes.enumerated() {
      for c in 0..<3 {
        for y in 0..<size.height {
          let start = ((i * 3 + c) * h + y) * w
          images += pixels[start..<start + size.width]
        }
      }
    }
    #expect(FixtureHash.fnv1a64(bytes(images)) == expected("images"))
    #expect(FixtureHash.fnv1a64(it.targets.flatMap { $0.masks.joined() }) == expected("masks"))
    if item != .r50 { #expect(FixtureHash.fnv1a64(bytes(ours.flatMap { $0.tensor?.doubles ?? [] })) == expected("weights")) }
  }

  @Test("outputs of every layer", arguments: DETRFixture.Case.allCases, Precision.allCases)
  func outputs(_ item: DETRFixture.Case, _ precision: Precision) throws {
    let it = try DETRFixture(item, precision)
    let (output, _) = try it.forward()
    #expect(output.layers == it.settings.decoderLayers)
    for layer in 0..<output.layers {
      let logits = try it.compare("output", "pred_logits.\(layer)", output[layer].logits.doubles)
      let boxes = try it.compare("output", "pred_boxes.\(layer)", output[layer].boxes.doubles)
      #expect(logits == nil)
      #expect(boxes == nil)
    }
    if let segmentation = it.model.segmentation {
      let slots = it.targets.indices.flatMap { image in (0..<it.settings.queries).map { (image: image, query: $0) } }
      let masks = try it.compare("output", "pred_masks", segmentation.masks(of: slots, output).doubles)
      #expect(masks == nil)
    }
  }

  @Test("matches of every layer and terms of the loss", arguments: DETRFixture.Case.allCases, Precision.allCases)
  func loss(_ item: DETRFixture.Case, _ precision: Precision) throws {
    let it = try DETRFixture(item, precision)
    let (output, report) = try it.forward()
    for layer in 0..<output.layers {
      for image in it.targets.indices {
        let pairs = report.pairs[layer * it.targets.count + image]
        let expected = try it.fixture.integers("match/\(layer).\(image)")
        #expect(pairs.map(\.query) + pairs.map(\.target) == expected, "layer \(layer), image \(image)")
      }
    }
    let terms = try DETRFixture.decoded(it.fixture, "loss_terms", as: [String].self)
    // Of what is only counted the earlier layers are left out.
    let judged = Set(terms.filter { !["total", "grad_norm", "class_error"].contains($0) && !$0.hasPrefix("cardinality_error") })
    #expect(Set(report.terms.map(\.name)) == judged)
    for (name, value) in report.terms { #expect(try it.isNear(value.item, name), "\(name) is \(value.item)") }
    #expect(try it.isNear(report.total.item, "total"))
    // The official code counts in float32.
    #expect(abs(report.classError - (try it.fixture.tensor("f64/loss/class_error").doubles[0])) < 1e-4)
    #expect(abs(report.cardinalityError - (try it.fixture.tensor("f64/loss/cardinality_error").doubles[0])) < 1e-4)
  }

  @Test("every gradient", arguments: DETRFixture.Case.allCases, Precision.allCases)
  func gradients(_ item: DETRFixture.Case, _ precision: Precision) throws {
    let it = try DETRFixture(item, precision)
    let gradients = try it.forward().report.total.gradients()
    let trained = try it.optimizer().parameters
    let clipped = try clip(gradients, of: trained, to: 0.1)
    #expect(try it.isNear(clipped.norm, "grad_norm", share: 2e-4))
    // Rounding noise around zero: of the order of the rounding of the gradients that cancel.
    let noise = clipped.norm * precision.ulpOfOne * 16
    let chance = item == .r50 && precision == .float32 ? try it.worstDistances("grad", relative: true) : nil
    var compared = 0
    for entry in trained where it.fixture.has("f64/grad/\(entry.name)") {
      let gradient = try #require(gradients[entry.parameter], "\(entry.name)")
      let largest = try it.fixture.tensor("f64/grad.statistics/\(entry.name)").doubles[5]
      // Some of ResNet-50's inputs of ReLU change their sign in any float32 run; which ones, is chance: as for RAFT-large.
      let byChance = chance.map { (element: 5 * $0.element * largest, mean: 5 * $0.mean * largest) }
      let bounds = it.nullGradients.contains(entry.name) ? (element: noise, mean: noise) : byChance
      let problem = try it.compare("grad", entry.name, entry.parameter.layout.official(gradient).doubles, bounds)
      #expect(problem == nil)
      compared += 1
    }
    #expect(item == .r50 ? compared > 35 : compared == trained.count)
  }

  @Test("three AdamW steps", arguments: DETRFixture.Case.trained, Precision.allCases)
  func training(_ item: DETRFixture.Case, _ precision: Precision) throws {
    let it = try DETRFixture(item, precision)
    let optimizer = try it.optimizer()
    for step in 0..<3 {
      let total = try it.forward().report.total
      #expect(try it.isNear(total.item, "total", step: step, share: 2e-5))
      let gradients = total.gradients()
      let clipped = try clip(gradients, of: optimizer.parameters, to: 0.1)
      #expect(try it.isNear(clipped.norm, "grad_norm", step: step, share: 2e-4))
      optimizer.step(gradients, learningRate: 1e-4, scale: clipped.scale)
    }
    let after = try it.forward().report
    for (name, value) in after.terms { #expect(try it.isNear(value.item, name, step: 3, share: 2e-5), "\(name) is \(value.item)") }
    // The first steps are nearly rate · g / |g|, so a weight whose gradient is small lands elsewhere; which one, is chance: as for RAFT.
    let worst = try it.worstDistances("param", relative: false)
    let chance = precision == .float32 ? (element: 4 * worst.element, mean: 4 * worst.mean) : nil
    for entry in optimizer.parameters where it.fixture.has("f64/param/\(entry.name)") && !it.nullGradients.contains(entry.name) {
      let problem = try it.compare("param", entry.name, entry.parameter.layout.official(entry.parameter.value).doubles, chance)
      #expect(problem == nil)
    }
  }

  @Test("scores, labels and boxes in pixels", arguments: DETRFixture.Case.allCases, Precision.allCases)
  func results(_ item: DETRFixture.Case, _ precision: Precision) throws {
    let it = try DETRFixture(item, precision)
    for (i, found) in try it.forward().output.last.detections(it.originalSizes).enumerated() {
      func allowed(_ name: String, largest: Double) throws -> Double {
        let distance = try it.fixture.tensor("f32/result.distance/\(name)").doubles[1]
        return precision == .float64 ? 1e-8 * largest : max(4 * distance, 16 * Double(Float.ulpOfOne) * largest)
      }
      #expect(found.map(\.label) == (try it.fixture.integers("f64/result/labels.\(i)")))
      #expect(found.map(\.query) == Array(0..<it.settings.queries))
      let scores = try it.fixture.tensor("f64/result/scores.\(i)").doubles
      let boxes = try it.fixture.tensor("f64/result/boxes.\(i)").doubles
      let tolerance = (scores: try allowed("scores.\(i)", largest: 1), boxes: try allowed("boxes.\(i)", largest: boxes.map(abs).max() ?? 0))
      #expect(zip(found.map(\.score), scores).allSatisfy { abs($0 - $1) <= tolerance.scores })
      #expect(zip(found.flatMap { [$0.box.x, $0.box.y, $0.box.x1, $0.box.y1] }, boxes).allSatisfy { abs($0 - $1) <= tolerance.boxes })
    }
  }

  @Test("instance masks at the original size") func instanceMasks() throws {
    let it = try DETRFixture(.panoptic, .float64)
    let segmentation = try #require(it.model.segmentation)
    let masks = segmentation.instanceMasks(try it.forward().output, it.images, originalSizes: it.originalSizes)
    for (i, list) in masks.enumerated() {
      #expect(list.map(\.area) == (try it.fixture.integers("f64/result/pixels.\(i)")))
      let checksum = String(FixtureHash.fnv1a64(list.flatMap { $0.flags.map { $0 ? 1 : 0 } }), radix: 16)
      #expect(checksum == it.fixture.file.metadata["fnv1a64.result.masks.\(i)"].map { String($0.drop { $0 == "0" }) })
    }
  }

  private struct Segment: Decodable {
    let id, categoryId, area: Int
  }

  @Test("panoptic segments") func panopticSegments() throws {
    let it = try DETRFixture(.panoptic, .float64)
    let segmentation = try #require(it.model.segmentation)
    let expected = try DETRFixture.decoded(it.fixture, "panoptic", as: [[Segment]].self)
    let output = try it.forward().output
    func results(_ threshold: Double) -> [PanopticResult] {
      segmentation.panopticResults(output, it.images, originalSizes: it.originalSizes, threshold: threshold) { $0 < it.settings.things }
    }
    let found = results(it.settings.panopticThreshold)
    #expect(expected.contains { $0.count > 3 })
    for (i, result) in found.enumerated() {
      // Numbers from 0 in the official code, where 0 is void for us.
      #expect(result.segments.map { [Int($0.id) - 1, $0.label, $0.area] } == expected[i].map { [$0.id, $0.categoryId, $0.area] })
      let checksum = it.fixture.file.metadata["fnv1a64.panoptic.\(i)"].flatMap { UInt64($0, radix: 16) }
      #expect(FixtureHash.fnv1a64(result.map.segments.map { UInt8($0 == 0 ? 0 : $0 - 1) }) == checksum)
    }
    #expect(results(1).allSatisfy { $0.segments.isEmpty && $0.map.segments.allSatisfy { $0 == PanopticMap.void } })
  }
}
