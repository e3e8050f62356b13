import Base
import Foundation
import Networks
import Tensors
import Testing
import WeightFiles

/// `apus config`, `inspect`, `parity`, and what the program says about itself.
@Suite struct InspectionTests {
  struct Entry: Decodable, Equatable {
    let name: String
    let shape: [Int]
  }

  /// The names and shapes of PyTorch's RAFT-small.
  static let expected = Result {
    try JSONDecoder().decode([Entry].self, from: Data(contentsOf: URL(filePath: "\(Workplace.checkout)/Tests/Fixtures/raft_small_names.json")))
  }

  @Test func helpAndVersion() throws {
    let place = try Workplace()
    for arguments in [["--help"], [], ["help"], ["train", "--help"], ["help", "synth", "flow"]] {
      let outcome = try place.apus(arguments)
      #expect(outcome.exit == 0 && outcome.errors.isEmpty && outcome.output.contains("USAGE: apus"))
    }
    let version = try place.apus("--version")
    #expect(version.exit == 0 && version.output.wholeMatch(of: #/\d+\.\d+\.\d+\n/#) != nil)
  }

  @Test func shownConfigsAreConfigs() throws {
    let place = try Workplace()
    let options = ["--set", "optimizer.freeze=[fnet.*, 'cnet.conv1.*']", "--threads", "2"]
    let shown = try place.apus(["config", "show", "config.yaml"] + options)
    expectSuccess(shown)
    #expect(shown.output.contains(#/threads: 2 +# --threads 2/#))
    #expect(shown.output.contains(#/batch_size: 1 +# config\.yaml:5/#))
    #expect(shown.output.contains(#/batch_size: 1 /#) && shown.output.contains(#/gamma: 0\.8 +# .*small-chairs\.yaml:\d+/#))
    #expect(shown.output.contains(#/max_flow: 400\.0 +# default/#))
    try place.write("shown.yaml", shown.output)
    let again = try place.apus("config", "show", "shown.yaml")
    expectSuccess(again)
    func values(_ text: String) -> [String] { text.split(separator: "\n").map { String($0.replacing(#/ +#.*/#, with: "")) } }
    #expect(values(again.output) == values(shown.output))
    #expect(try place.apus("config", "check", "shown.yaml").output == "shown.yaml: no errors\n")
  }

  @Test func theModelIsListed() throws {
    let place = try Workplace()
    let names = try place.apus("inspect", "config.yaml", "--names")
    expectSuccess(names)
    let entries = try Self.expected.get()
    #expect(entries.count == 106)
    #expect(names.outputLines == entries.map { "\($0.name) \($0.shape)" })
    let table = try place.apus("inspect", "config.yaml")
    expectSuccess(table)
    let total = try #require(table.outputLines.first { $0.hasPrefix("total ") })
    #expect(total.split(separator: " ").map(String.init).contains("990162"))
    #expect(table.output.contains("Peak memory of one training pass: "))
  }

  @Test func parityWritesEverythingChannelsFirst() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let (h, w) = (128, 136)
    func wave(_ shape: [Int], _ scale: Double) -> Tensor {
      Tensor((0..<shape.reduce(1, *)).map { scale * (1 + sin(Double($0) / 9)) }, shape: shape, precision: .float64)
    }
    let inputs = Safetensors([
      .init("image1", wave([1, 3, h, w], 127)), .init("image2", wave([1, 3, h, w], 120)), .init("flow", wave([1, 2, h, w], 1)),
      .init("valid", Tensor(filling: [1, h, w], with: 1, precision: .float64)),
    ])
    try inputs.write(to: place.path("inputs.safetensors"))
    let weights = "run/checkpoints/step_00000004/model.safetensors"
    let outcome = try place.apus("parity", "config.yaml", "--weights", weights, "--inputs", "inputs.safetensors", "--out", "out.safetensors",
                                 "--precision", "float64", "--steps", "1", "--set", "train.iterations=2")
    expectSuccess(outcome)
    let out = try Safetensors(at: place.path("out.safetensors")), entries = try Self.expected.get()
    var expected = ["loss.total": [Int](), "output.flow.0": [1, 2, h, w], "output.flow.1": [1, 2, h, w]]
    for entry in entries {
      expected["grad.\(entry.name)"] = entry.shape
      expected["param.\(entry.name)"] = entry.shape
    }
    #expect(Dictionary(uniqueKeysWithValues: out.entries.map { ($0.name, $0.shape) }) == expected)
    let areSound = out.entries.allSatisfy { $0.tensor?.precision == .float64 && $0.tensor?.isFinite == true }
    #expect(areSound)
    let before = try Safetensors(at: place.path(weights))
    let hasMoved = entries.contains { before[$0.name]?.tensor?.doubles != out["param.\($0.name)"]?.tensor?.doubles }
    #expect(hasMoved)
  }

  @Test func parityNamesWhatIsWrongWithItsInputs() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let weights = "run/checkpoints/step_00000004/model.safetensors"
    func parity(_ inputs: String) throws -> Outcome {
      try place.apus("parity", "config.yaml", "--weights", weights, "--inputs", inputs, "--out", "out.safetensors")
    }
    expectFailure(try parity(weights), 65, "\(weights): there is no tensor 'image1'", "image1, image2, flow and valid")
    let last = Safetensors([.init("image1", Tensor(filling: [1, 128, 128, 3], with: 0))])
    try last.write(to: place.path("last.safetensors"))
    expectFailure(try parity("last.safetensors"), 65, "last.safetensors: image1: expected shape [n, 3, h, w]", "found [1, 128, 128, 3]")
    #expect(!place.exists("out.safetensors"))
  }
}
