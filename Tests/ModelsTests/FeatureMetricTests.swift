import Base
import Foundation
import Models
import Tensors
import Testing
import TestSupport
import WeightFiles

/// FID, U-IDS, P-IDS, precision and recall of given features against scipy, scikit-learn and plain loops.
@Suite("Metrics of features") struct FeatureMetricTests {
  private func sets(_ item: String) throws -> (real: FeatureSet, found: FeatureSet) {
    let fixture = try Fixture("inpainting_metrics")
    func names(_ key: String) throws -> [String] {
      let text = try #require(fixture.file.metadata[item])
      let values = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      return try #require(values[key] as? [String])
    }
    return (try FeatureSet(names: names("names"), values: fixture.tensor("\(item)/real")),
            try FeatureSet(names: names("found_names"), values: fixture.tensor("\(item)/found")))
  }

  static let cases = Fixture.cases(of: "features", in: "inpainting_metrics")

  @Test("there are cases") func all() { #expect(Self.cases.count == 5) }

  @Test("FID", arguments: cases) func frechet(_ item: String) throws {
    let (real, found) = try sets(item)
    let expected = try Fixture("inpainting_metrics").settings(item).double("fid")
    let distance = try frechetDistance(real, found)
    // The reference squares what is nearly singular: that costs half of the digits.
    #expect(abs(distance - expected) <= 1e-6 * max(1, expected), "\(distance), expected \(expected)")
    #expect(try abs(distance - frechetDistance(found, real)) <= 1e-10 * max(1, expected))
    #expect(try frechetDistance(real, real) <= 1e-10 * real.values.squared().mean().item)
  }

  @Test("U-IDS and P-IDS, with pairs by name", arguments: cases) func discriminative(_ item: String) throws {
    let (real, found) = try sets(item)
    let settings = try Fixture("inpainting_metrics").settings(item)
    guard settings.has("u_ids") else {
      let error = #expect(throws: Failure.self) { try InceptionDiscriminativeScore(real: real, found: found) }
      #expect(error?.problem.contains("cannot be paired by name: 'picture_40' is in one set only") == true, "\(String(describing: error))")
      return
    }
    let score = try InceptionDiscriminativeScore(real: real, found: found)
    #expect(try abs(score.unpaired - settings.double("u_ids")) < 1e-12 && abs(score.paired - settings.double("p_ids")) < 1e-12, "\(score)")
  }

  @Test("the machine's weights are scikit-learn's", arguments: ["many", "few", "large"]) func machine(_ item: String) throws {
    let fixture = try Fixture("inpainting_metrics")
    let (real, found) = try sets(item)
    let machine = LinearSVM(
      concatenate([real.values, found.values], axis: 0), labels: Array(repeating: 1, count: real.count) + Array(repeating: -1, count: found.count))
    #expect(difference(machine.weights, try fixture.tensor("\(item)/weights"), absolute: 1e-6) == nil)
    #expect(try abs(machine.intercept - fixture.settings(item).double("intercept")) <= 1e-6)
    #expect(machine.steps < 30)
  }

  @Test("precision and recall", arguments: cases) func manifolds(_ item: String) throws {
    let (real, found) = try sets(item)
    let settings = try Fixture("inpainting_metrics").settings(item)
    let result = try ImprovedPrecisionRecall(real: real, found: found)
    #expect(try abs(result.precision - settings.double("precision")) < 1e-12 && abs(result.recall - settings.double("recall")) < 1e-12)
    let few = try FeatureSet(names: ["a", "b", "c"], values: .ones([3, found.width]))
    #expect(throws: Failure.self) { try ImprovedPrecisionRecall(real: real, found: few) }
  }

  @Test("a set of one picture has a distance") func single() throws {
    let one = try FeatureSet(names: ["a"], values: Tensor([1, 2, 3], shape: [1, 3]))
    let other = try FeatureSet(names: ["a"], values: Tensor([1, 0, 3], shape: [1, 3]))
    #expect(try frechetDistance(one, other) == 4)
  }

  @Test("features in and out of files") func files() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("real.npy").path
    let set = try sets("few").real
    try set.write(to: path)
    let read = try FeatureSet(at: path)
    #expect(read.names == set.names && read.values.isIdentical(to: set.values))
    try FileManager.default.removeItem(atPath: folder.appendingPathComponent("real.txt").path)
    #expect(try FeatureSet(at: path).names.prefix(2) == ["row 0", "row 1"])
    try "only one\n".write(toFile: folder.appendingPathComponent("real.txt").path, atomically: true, encoding: .utf8)
    let error = #expect(throws: Failure.self) { try FeatureSet(at: path) }
    #expect(error?.kind == .badData && error?.problem == "1 names for 24 feature vectors")
  }

  @Test("sets that cannot be compared") func refused() throws {
    let set = try FeatureSet(names: ["a", "b"], values: .ones([2, 3]))
    let other = try FeatureSet(names: ["a", "b"], values: .ones([2, 4]))
    #expect(throws: Failure.self) { try frechetDistance(set, other) }
    #expect(throws: Failure.self) { try FeatureSet(names: ["a", "a"], values: .ones([2, 3])) }
    #expect(throws: Failure.self) { try FeatureSet(names: [], values: .ones([0, 3])) }
    #expect(throws: Failure.self) { try FeatureSet(names: ["a"], values: Tensor([.nan], shape: [1, 1])) }
  }
}
