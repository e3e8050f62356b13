import Foundation
import Networks
import Tensors
import Testing
import WeightFiles

/// `apus convert`, and weights of any format and naming wherever weights are asked for.
@Suite struct ConversionTests {
  private static let fixtures = "\(Workplace.checkout)/Tests/Fixtures"
  private static let step = "run/checkpoints/step_00000004/model.safetensors"

  private static func arrays(_ place: Workplace, _ name: String) throws -> [String: [Double]] {
    let state = try StateDictionary(at: place.path(name))
    return Dictionary(uniqueKeysWithValues: state.entries.map { ($0.name, $0.tensor?.doubles ?? []) })
  }

  @Test func weightsGoThroughEveryFormatAndNaming() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let weights = try Self.arrays(place, Self.step)
    func convert(_ arguments: String...) throws -> Outcome {
      let outcome = try place.apus(["convert"] + arguments)
      expectSuccess(outcome)
      return outcome
    }
    let first = try convert("run", "a.pth", "--model", "raft-small")
    #expect(first.output == "a.pth: 106 arrays of 990162 numbers\n")
    _ = try convert("a.pth", "b.pth", "--names", "torchvision")
    let theirs = try Self.arrays(place, "b.pth")
    #expect(theirs.count == 106 && theirs["feature_encoder.convnormrelu.0.weight"] == weights["fnet.conv1.weight"])
    #expect(theirs["update_block.recurrent_block.convgru1.convz.bias"] == weights["update_block.gru.convz.bias"])
    _ = try convert("b.pth", "c.safetensors", "--config", "config.yaml")
    #expect(try Self.arrays(place, "c.safetensors") == weights)
    _ = try convert("b.pth", "d.safetensors")  // no model: as they are
    #expect(try Self.arrays(place, "d.safetensors") == theirs)
    let expected = try place.apus("evaluate", "config.yaml", "--weights", "run", "--json").output
    for file in ["a.pth", "b.pth", "d.safetensors"] {
      #expect(try place.apus("evaluate", "config.yaml", "--weights", file, "--json").output == expected, "\(file)")
    }
    expectSuccess(try place.apus("train", "config.yaml", "--load-from", "b.pth", "--work-dir", "second"))
  }

  @Test func everyMisfitIsListed() throws {
    let place = try Workplace()
    try place.trainBriefly()
    let state = try StateDictionary(at: place.path(Self.step))
    var entries = state.entries.filter { !["cnet.conv1.bias", "update_block.gru.convz.weight"].contains($0.name) }
    entries = entries.map { $0.name == "fnet.conv1.bias" ? .init($0.name, Tensor.zeros([31])) : $0 }
    entries += [.init("head.a", Tensor(1.0)), .init("head.b", Tensor(1.0))]
    try StateDictionary(entries.map { $0.renamed("module.\($0.name)") }).write(to: place.path("w.pth"))
    let words = ["2 missing: cnet.conv1.bias, update_block.gru.convz.weight", "2 unexpected: head.a, head.b",
                 "1 of another shape: fnet.conv1.bias is [31], expected [32]"]
    for arguments in [["convert", "w.pth", "out.pth", "--model", "raft-small"], ["convert", "w.pth", "--config", "config.yaml"],
                      ["evaluate", "config.yaml", "--weights", "w.pth"]] {
      let outcome = try place.apus(arguments)
      expectFailure(outcome, 65, "w.pth: the arrays do not fit RAFT")
      for word in words { #expect(outcome.errors.contains(word), "'\(word)' in: \(outcome.errors)") }
    }
    #expect(!place.exists("out.pth"))
    let loose = try place.apus("convert", "w.pth", "out.pth", "--model", "raft-small", "--non-strict")
    #expect(loose.exit == 0)
    for word in words { #expect(loose.errors.contains("warning: w.pth: the arrays do not fit RAFT-small: \(word)"), "\(loose.errors)") }
    #expect(try Self.arrays(place, "out.pth").keys.contains("head.a"))
  }

  @Test func checkpointsOfPyTorchAreListed() throws {
    let place = try Workplace()
    for form in ["zip", "legacy"] {
      let file = "\(Self.fixtures)/checkpoint_\(form).pth"
      let outcome = try place.apus("convert", file)
      expectSuccess(outcome)
      for row in [#/channels_last +\[1, 2, 2, 3\] +float32/#, #/scalar +\[\] +int64/#, #/bfloat16 +\[3\] +bfloat16/#, #/shared.b +as shared.a/#] {
        #expect(outcome.output.contains(row), "\(outcome.output)")
      }
      #expect(outcome.outputLines.last == "19 arrays of 65 numbers, aliases: 1", "\(outcome.output)")
      let written = try place.apus("convert", file, "out.safetensors", "--key", "state_dict")
      #expect(written.exit == 0 && written.errors.contains("warning: 1 arrays of type float16 are written as float32, for instance float16"))
      expectFailure(try place.apus("convert", file, "--key", "model"), 64, "no dictionary of tensors under 'model'", "state_dict: 20 tensors")
    }
  }

  @Test func snapshotsAreReadAsData() throws {
    let place = try Workplace()
    let file = "\(Self.fixtures)/snapshot.pkl"
    let list = try place.apus("convert", file)
    expectSuccess(list)
    #expect(list.outputLines.last == "12 arrays of 187 numbers, aliases: 1", "\(list.output)")
    expectSuccess(try place.apus("convert", file, "out.safetensors"))
    #expect(try Self.arrays(place, "out.safetensors").keys.contains("blocks.1.conv.resample_filter"))
    expectSuccess(try place.apus("convert", file, "d.pth", "--key", "D"))
    #expect(try Set(Self.arrays(place, "d.pth").keys) == ["conv.weight", "conv.bias", "conv.resample_filter"])
    expectFailure(try place.apus("convert", file, "--key", "H"), 64, "no dictionary of tensors under 'H'", "G_ema: 13 tensors")
    let sound = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
    // os.system('id'), called and dropped before the end.
    let call = Array("cos\nsystem\n".utf8) + [0x8C, 2] + Array("id".utf8) + [0x85] + Array("R0.".utf8)
    try place.write("evil.pkl", sound.dropLast() + call)
    expectFailure(try place.apus("convert", "evil.pkl", "out.pth"), 65, "evil.pkl: ", "os.system", "nothing was run")
    try place.write("cut.pkl", Array(sound.dropLast(100)))
    expectFailure(try place.apus("convert", "cut.pkl"), 65, "cut.pkl: ", "are left")
  }

  @Test func prefixesAreTakenAway() throws {
    let place = try Workplace()
    try StateDictionary([.init("module.net.w", Tensor(1.0)), .init("module.net.v", Tensor(2.0))]).write(to: place.path("w.pth"))
    func names(_ arguments: String...) throws -> Set<String> {
      expectSuccess(try place.apus(["convert", "w.pth", "out.pth"] + arguments))
      return Set(try Self.arrays(place, "out.pth").keys)
    }
    #expect(try names() == ["net.w", "net.v"])
    #expect(try names("--prefix", "module.net.") == ["w", "v"])
    #expect(try names("--prefix", "") == ["module.net.w", "module.net.v"])
    expectFailure(try place.apus("convert", "w.pth", "out.pth", "--prefix", "model."), 64, "--prefix: no name in w.pth begins with 'model.'",
                  "module.net.w")
  }

  @Test func mistakesAreNamed() throws {
    let place = try Workplace()
    try StateDictionary([.init("w", Tensor(1.0))]).write(to: place.path("w.safetensors"))
    try place.write("note.pth", "hello")
    try place.write("old.pth", [UInt8](repeating: 0x61, count: 257) + Array("ustar".utf8) + [UInt8](repeating: 0, count: 250))
    expectFailure(try place.apus("convert", "nix.pth"), 66, "nix.pth: there is no such weight file")
    expectFailure(try place.apus("convert", "w.safetensors", "out.onnx"), 64, "out.onnx: the name does not tell the format", ".pth")
    expectFailure(try place.apus("convert", "w.safetensors", "nix/out.pth"), 73, "nix")
    expectFailure(try place.apus("convert", "note.pth"), 65, "note.pth: ")
    expectFailure(try place.apus("convert", "old.pth"), 65, "before version 0.1.10", "save it again")
    expectFailure(try place.apus("convert", "w.safetensors", "--model", "raft-huge"), 64, "no model 'raft-huge'", "raft-small")
    expectFailure(try place.apus("convert", "w.safetensors", "--key", "model"), 64, "a safetensors file holds one")
    expectFailure(try place.apus("convert", "w.safetensors", "--names", "mine"), 64, "mine", "official", "torchvision")
    for arguments in [["--set", "plan.seed=1"], ["--non-strict"], ["--model", "raft-small", "--config", "config.yaml"]] {
      #expect(try place.apus(["convert", "w.safetensors"] + arguments).exit == 64)
    }
    #expect(try place.apus("convert", "--help").output.contains("apus convert raft-things.pth"))
  }

  /// Whether a Python with PyTorch is there to read what we write.
  static let hasPyTorch: Bool = {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"]
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  @Test(.enabled(if: hasPyTorch, "needs python3 with PyTorch")) func pyTorchReadsWhatWeWrite() throws {
    let place = try Workplace()
    var pairs: [String] = []
    for form in ["zip", "legacy"] {
      let source = "\(Self.fixtures)/checkpoint_\(form).pth"
      #expect(try place.apus("convert", source, "\(form).pth").exit == 0)
      pairs += [source, place.path("\(form).pth")]
    }
    let process = Process(), output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "\(Self.fixtures)/check_checkpoints.py"] + pairs
    (process.standardOutput, process.standardError) = (output, output)
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(text)")
  }
}
