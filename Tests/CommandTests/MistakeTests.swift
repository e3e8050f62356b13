import Foundation
import Testing

/// A wrong command line or config: one clear message and exit code 64, or 66 for what is not there.
@Suite struct MistakeTests {
  struct Mistake: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let code: Int32
    let words: [String]
    var testDescription: String { arguments.joined(separator: " ") }

    init(_ line: String, _ code: Int32, _ words: String...) {
      (arguments, self.code, self.words) = (line.split(separator: " ").map(String.init), code, words)
    }

    /// Runs it: the exit code is right, and the message holds all words.
    @discardableResult
    func expectNamed(in place: Workplace) throws -> Outcome {
      let outcome = try place.apus(arguments)
      expectFailure(outcome, code)
      for word in words { #expect(outcome.errors.contains(word), "'\(word)' after apus \(testDescription): \(outcome.errors)") }
      return outcome
    }
  }

  static let mistakes = [
    Mistake("trian config.yaml", 64, "no command 'trian'", "Did you mean 'train'?"),
    Mistake("train", 64, "<config>", "Usage: apus train"),
    Mistake("train config.yaml --stepz 3", 64, "--stepz", "Did you mean '--steps'?"),
    Mistake("train config.yaml --steps many", 64, "'many'", "--steps"),
    Mistake("train config.yaml --steps -4", 64, "--steps -4: 'plan.steps' is -4; allowed: 1 or more"),
    Mistake("train config.yaml --seed -1", 64, "'plan.seed' is -1"),
    Mistake("train config.yaml --threads 5000", 64, "'plan.threads' is 5000", "0 (one for each core) to 4096"),
    Mistake("train config.yaml --progress fast", 64, "'fast'", "'auto', 'bar', 'plain' or 'none'"),
    Mistake("train config.yaml --set steps", 64, "--set steps: expected key=value"),
    Mistake("train config.yaml --set plan.stepz=3", 64, "--set plan.stepz=3: unknown key 'plan.stepz'", "Did you mean 'steps'?"),
    Mistake("train config.yaml --set plan.seed.x=3", 64, "--set plan.seed.x=3: 'plan.seed': expected a whole number, found a map"),
    Mistake("train config.yaml --set task=flow", 64, "'task': expected one of optical_flow", "found text 'flow'"),
    Mistake("train config.yaml --set data.format=none", 64, "data.format: 'none' leaves nothing to learn from", "flying_chairs"),
    Mistake("train config.yaml --set optimizer.freeze=[nix]", 64, "optimizer.freeze: no parameter is named like 'nix'", "fnet.conv1.weight"),
    Mistake("train config.yaml --set optimizer.freeze=['*']", 64, "optimizer.freeze: '*' leaves nothing to learn"),
    Mistake("train config.yaml --set augmentation.brightness=-1", 64, "'augmentation.brightness' is -1.0; allowed: 0 to 10"),
    Mistake("train nix.yaml", 66, "nix.yaml: there is no such file"),
    Mistake("train pairs", 66, "pairs: this is a folder, expected a file"),
    Mistake("train /dev/zero", 64, "/dev/zero: this is a device, expected a regular file"),
    Mistake("train pipe", 64, "pipe: this is a pipe, expected a regular file"),
    Mistake("train config.yaml --load-from /dev/zero", 65, "/dev/zero: this is a device, expected a regular file"),
    Mistake("train config.yaml --set data.root=circle", 74, "circle: cannot be read"),
    Mistake("train config.yaml --set data.root=circles", 74, "circles/data: cannot be read"),
    Mistake("train config.yaml --set data.root=nix", 66, "nix: there is no such folder", "--set data.root=FOLDER", "apus synth flow"),
    Mistake("train config.yaml --set validation.root=nix", 66, "nix: there is no such folder", "'validation.root' names it"),
    Mistake("train config.yaml --set data.root=empty", 66, "empty: there is no folder data in it", "FlyingChairs"),
    Mistake("train config.yaml --load-from nix.safetensors", 66, "nix.safetensors: there is no such weight file"),
    Mistake("train config.yaml --resume nix", 66, "nix: there is no such folder", "--resume takes a run folder"),
    Mistake("train config.yaml --resume pairs", 66, "pairs: there is no checkpoint in it"),
    Mistake("train config.yaml --work-dir config.yaml", 73, "config.yaml: this is a file, expected a folder"),
    Mistake("train config.yaml --work-dir config.yaml/run --resume auto", 73, "config.yaml: this is a file, expected a folder"),
    Mistake("train config.yaml --work-dir /proc/run", 73, "/proc/run: the folder cannot be created"),
    Mistake("evaluate config.yaml", 64, "--weights"),
    Mistake("evaluate config.yaml --weights nix", 66, "nix: there is no such weight file, checkpoint or run folder"),
    Mistake("evaluate config.yaml --weights pairs", 66, "pairs: this folder holds no checkpoint", "a run folder"),
    Mistake("evaluate config.yaml --weights pipe", 65, "pipe: this is a pipe, expected a regular file"),
    Mistake("evaluate config.yaml --weights huge", 65, "huge: this is a file that begins with nothing but zeros", "expected a .safetensors file"),
    Mistake("evaluate config.yaml --weights config.yaml", 65, "config.yaml: this is no safetensors file"),
    Mistake("predict config.yaml --weights nix --source pairs/data --out flow", 66, "nix: there is no such weight file"),
    Mistake("predict config.yaml --weights w --source nix --out flow", 66, "nix: there is no such folder"),
    Mistake("predict config.yaml --weights w --source circle --out flow", 74, "circle: cannot be read"),
    Mistake("predict config.yaml --weights w --source empty --out flow", 66, "empty: 0 frames found", ".png"),
    Mistake("predict config.yaml --weights w --out flow", 64, "--source"),
    Mistake("predict config.yaml --weights w --source config.yaml --out flow", 64, "config.yaml: one picture has no flow"),
    Mistake("predict config.yaml --weights w --source pairs config.yaml --out flow", 64, "pairs: this is a folder, expected a picture"),
    Mistake("predict config.yaml --weights w --source a.png config.yaml --out flow", 66, "a.png: there is no such file"),
    Mistake("predict config.yaml --weights w --source pairs --out flow --format mp4", 64, "--format mp4: 'prediction.format'", "flo, sintel, kitti"),
    Mistake("predict config.yaml --weights w --source pairs --out flow --format sintel", 66, "pairs: there is no folder clean or final"),
    Mistake("predict config.yaml --weights w --source pairs --out flow --format kitti", 66, "pairs: there is no folder image_2", "and testing/image_2"),
    Mistake("predict config.yaml --weights w --source pairs pairs --out flow --format kitti", 64, "--source: 2 paths, expected the one folder"),
    Mistake("predict config.yaml --weights w --source pairs --out flow --format kitti --occlusion", 64, "'prediction.occlusion' is true"),
    Mistake("predict config.yaml --weights w --source w --out o --set prediction.occlusion_absolute=-1", 64, "'prediction.occlusion_absolute' is -1"),
    Mistake("predict config.yaml --weights w --source w --out o --set inference.padding=even", 64, "'inference.padding'", "sintel, kitti"),
    Mistake("synth flow --out new --count 0 --seed 1", 64, "--count: 0 is out of range, expected 1 or more"),
    Mistake("synth detection --out new --count 2 --seed 1 --set classes=9", 64, "classes", "9", "1 to 8: disc, square"),
    Mistake("synth detection --out new --count 2 --seed 1 --layout voc", 64, "'voc'", "coco_panoptic"),
    Mistake("synth flow --out new --count 2 --seed -1", 64, "--seed: -1 is out of range, expected 0 or more"),
    Mistake("synth flow --out new --layout sintl --count 2 --seed 1", 64, "'sintl'", "flying_things"),
    Mistake("synth flow --out new --layout sintel --count 2 --seed 1 --frames 1", 64, "--frames: 1 is out of range, expected 2 to 9999"),
    Mistake("synth flow --layout kitti --out pairs --count 2 --seed 1", 73, "pairs: the folder holds 24 files of other data"),
    Mistake("train config.yaml --set data.format=sintel", 66, "pairs: there is no folder training/clean in it", "MPI-Sintel (complete) holds"),
    Mistake("train config.yaml --set data.mixture=[{\"format\":kitti}]", 64, "'data.mixture.0.root' is empty; allowed: the path of a folder"),
    Mistake("synth flow --out new --count 2 --seed 1 --height 8", 64, "--height: 8 is out of range, expected 64 to 4096"),
    Mistake("synth flow --out pairs --count 2 --seed 1", 73, "pairs/data: the folder holds 18 files of other pairs", "empty folder"),
    Mistake("synth flow --out config.yaml --count 2 --seed 1", 73, "config.yaml: this is a file, expected a folder"),
    Mistake("parity config.yaml --weights nix --inputs nix --out o", 66, "nix: there is no such"),
    Mistake("parity config.yaml --weights nix --inputs nix --out o --steps -1", 64, "--steps: -1 is out of range"),
    Mistake("parity config.yaml --weights nix --inputs nix --out o --precision half", 64, "'half'", "float32", "float64"),
  ]

  @Test func eachMistakeIsNamed() throws {
    let place = try Workplace()
    try place.generatePairs()
    for name in ["empty", "circles"] { try FileManager.default.createDirectory(atPath: place.path(name), withIntermediateDirectories: true) }
    for name in ["circle", "circles/data"] { #expect(symlink((name as NSString).lastPathComponent, place.path(name)) == 0) }
    #expect(mkfifo(place.path("pipe"), 0o600) == 0)
    try place.write("huge", "")
    #expect(truncate(place.path("huge"), 1 << 40) == 0)
    for mistake in Self.mistakes {
      let outcome = try mistake.expectNamed(in: place)
      #expect(outcome.output.isEmpty, "\(outcome.output)")
    }
    #expect(!place.exists("work_dirs") && !place.exists("pairs/run.lock") && !place.exists("new"), "something was left behind")
  }

  @Test func allErrorsOfAConfigComeAtOnceWithTheirPlaces() throws {
    let place = try Workplace()
    try place.write("bad.yaml", """
      task: optical_flow
      train:
        batch_sise: 4
        iterations: "12"
      augmentation: {hue: 2, crop_height: 100}
      plan:
        steps: 0
      """)
    let outcome = try place.apus("config", "check", "bad.yaml", "--set", "data.format=chair")
    expectFailure(
      outcome, 64, "bad.yaml:3:3: unknown key 'train.batch_sise'", "Did you mean 'batch_size'?",
      "bad.yaml:4:15: 'train.iterations': expected a whole number, found text '12'",
      "bad.yaml:5:21: 'augmentation.hue' is 2.0; allowed: 0 to 0.5",
      "bad.yaml:5:37: 'augmentation.crop_height' is 100; allowed: a multiple of 8, at least 128",
      "bad.yaml:7:10: 'plan.steps' is 0; allowed: 1 or more",
      "--set data.format=chair: 'data.format': expected one of flying_chairs, flying_things, sintel, kitti, hd1k, pairs, none, "
        + "found text 'chair'", "6 problems")
    #expect(outcome.errors.split(separator: "\n").count == 7)
  }

  @Test(arguments: [
    ("task: optical_flow\nplan:\n\tsteps: 3\n", Int32(64), "bad.yaml:3:1: this is not valid YAML"),
    ("task: optical_flow\nplan: {steps: 3\n", 64, "this is not valid YAML"),
    ("task: optical_flow\nplan:\n  steps: 3\n  steps: 4\n", 64, "bad.yaml:4:3: duplicate key 'steps'"),
    ("plan: {steps: 3}\n", 64, "bad.yaml: missing key 'task'\n  write 'task: NAME'"),
    ("", 64, "bad.yaml: missing key 'task'"),
    ("base: nix.yaml\n", 66, "bad.yaml:1:7: 'base': there is no file nix.yaml"),
    ("- 1\n- 2\n", 64, "bad.yaml"),
    ("just text\n", 64, "bad.yaml"),
  ]) func brokenFiles(text: String, code: Int32, message: String) throws {
    let place = try Workplace()
    try place.write("bad.yaml", text)
    expectFailure(try place.apus("config", "check", "bad.yaml"), code, message)
  }

  @Test(arguments: [("APUS_ISA", "unknown instruction set 'fast'; known: portable")])
  func environmentVariablesAreChecked(name: String, message: String) throws {
    let place = try Workplace()
    let command = try Command(["inspect", "config.yaml"], in: place.folder, logs: place.path("logs/own"), environment: [name: "fast"])
    expectFailure(try command.wait(), 64, "\(name): \(message)")
  }

  @Test func aRunFolderIsNotOverwritten() throws {
    let place = try Workplace()
    try place.trainBriefly()
    expectFailure(try place.apus("train", "config.yaml", "--work-dir", "run"), 73, "run: this folder already holds a run", "--resume auto")
  }

  @Test func aRunFolderServesOneProcess() throws {
    let place = try Workplace()
    try place.generatePairs()
    let first = try place.start("train", "config.yaml", "--work-dir", "run", "--steps", "10000", "--set", "plan.save_every=0")
    while first.isRunning && !place.exists("run/run.json") { usleep(2000) }
    expectFailure(try place.apus("train", "config.yaml", "--work-dir", "run", "--resume", "auto"), 73,
                  "run: another process (pid ", "is writing to this run folder", "--work-dir")
    first.send(SIGKILL)
    #expect(try first.wait().signal == SIGKILL)
  }

  @Test func divergenceIsToldWithItsStep() throws {
    let place = try Workplace()
    try place.generatePairs()
    let outcome = try place.apus("train", "config.yaml", "--work-dir", "run", "--set", "optimizer.learning_rate=1e30",
                                 "--set", "optimizer.clip_norm=0", "--set", "schedule.kind=constant")
    expectFailure(outcome, 70, "run: training diverged at step ", "lower the learning rate")
    #expect(try place.text("run/run.json").contains("\"diverged\""))
  }
}
