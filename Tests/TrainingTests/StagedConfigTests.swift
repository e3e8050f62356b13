import Base
import Networks
import Testing
import Training

/// A config with stages and a section whose defaults depend on what is written.
private struct StagedSample: TaskConfig, Equatable, ValidatedConfig {
  struct Light: ConfigPreset, Equatable, ValidatedConfig {
    enum Preset: String, ConfigChoice { case dim, bright }

    var preset = Preset.dim
    var level = 1
    var colours = [1]

    static func defaults(for section: ConfigSection) -> Light {
      var light = Light()
      if section.text("preset").flatMap(Preset.named) == .bright { (light.preset, light.level, light.colours) = (.bright, 100, [7, 8]) }
      return light
    }

    func problems() -> [ConfigProblem] {
      var problems: [ConfigProblem] = []
      problems.require(level < 1000, "level", level, "below 1000")
      return problems
    }
  }

  struct Learning: Codable, Sendable, Equatable {
    var rate = 0.5
    var batch = 4
  }

  var light = Light()
  var learning = Learning()
  var lamps: [Light] = []
  var frame = Learning()
  var initialize = Initialization()
  var plan = Plan()

  static let fixedSections: Set = ["lamps", "frame"]
  static let renamedKeys = ["speed.rate": "learning.rate", "learning.size": "learning.batch", "*.brightness": "level"]

  func problems() -> [ConfigProblem] { [] }
}

extension StagedSample.Light: ConfigElement {}

@Suite struct StagedConfigTests {
  private func load(_ yaml: String, _ settings: [String] = []) throws -> LoadedConfig<StagedSample> {
    try ConfigLoader(defaults: StagedSample()).load(yaml: yaml, named: "c.yaml", overrides: settings.map { try ConfigOverride(setting: $0) })
  }

  private func errors(_ yaml: String, _ settings: [String] = []) -> [String] {
    do {
      _ = try load(yaml, settings)
      return []
    } catch {
      return "\(error)".split(separator: "\n").map(String.init).filter { !$0.hasSuffix(" problems") }
    }
  }

  @Test func presetsGiveWhatIsNotWritten() throws {
    let light = try load("light: {preset: bright, level: 5}\n").value.light
    #expect(light.level == 5 && light.colours == [7, 8])
    #expect(try load("light: {level: 5}\n").value.light.colours == [1])
    #expect(try load("light: {level: 5}\n", ["light.preset=bright"]).value.light == light)
    #expect(try load("light: {preset: bright}\n", ["light.colours.0=3"]).value.light.colours == [3])
    #expect(try load("lamps: [{preset: bright}, {level: 2}, {preset: bright, level: 3}]\n").value.lamps.map(\.level) == [100, 2, 3])
    #expect(errors("light: {preset: brigt}\n")[0].hasSuffix("expected one of dim, bright, found text 'brigt'. Did you mean 'bright'?"))
  }

  @Test func aStageOverlaysTheSections() throws {
    let yaml = """
      learning: {batch: 9}
      light: {level: 3}
      stages:
      - {name: a, steps: 10}
      - {name: b, steps: 20, learning: {rate: 0.25}, light: {preset: bright}}
      - name: c
        steps: 30
        learning: {batch: 1}
        light: {level: 4}
      """
    let loaded = try load(yaml)
    let stages = loaded.stages.map(\.config)
    #expect(loaded.stages.map(\.name) == ["a", "b", "c"] && loaded.stages.map(\.section) == ["stages.0.", "stages.1.", "stages.2."])
    #expect(stages.map(\.plan.steps) == [10, 20, 30] && loaded.stages.map(\.steps) == [10, 20, 30])
    #expect(stages.map(\.learning.rate) == [0.5, 0.25, 0.5] && stages.map(\.learning.batch) == [9, 9, 1])
    #expect(stages.map(\.light.level) == [3, 3, 4] && stages.map(\.light.colours) == [[1], [7, 8], [1]])
    #expect(loaded.value.plan.steps == 60, "the sum of the stages")
    #expect(try load("plan: {steps: 7}\n" + yaml).value.plan.steps == 7)
    #expect(try load(yaml, ["stages.1.steps=1", "learning.batch=2"]).value.plan.steps == 41)
    #expect(try load(yaml, ["learning.batch=2"]).stages.map(\.config.learning.batch) == [2, 2, 1])
    let again = try load(loaded.resolvedYAML)
    #expect(again.value == loaded.value && again.stages.map(\.config) == stages && again.resolvedYAML == loaded.resolvedYAML)
    let origins = Dictionary(uniqueKeysWithValues: loaded.origins.map { ($0.key, $0.origin.summary) })
    #expect(origins["stages.1.learning.rate"] == "c.yaml:5" && origins["stages.1.learning.batch"] == "c.yaml:1")
    #expect(origins["stages.0.learning.rate"] == "default" && origins["stages.2.light.level"] == "c.yaml:9")
  }

  @Test func errorsInStagesHaveTheirPlaces() {
    let found = errors("""
      learning: {bach: 9}
      light: {level: 2000}
      stages:
      - {name: a, stepz: 10, steps: 1, learning: {rate: x}}
      - name: b
        steps: 1
        light: {leval: 3, level: 5000}
        extra: {a: 1}
      - {name: c, steps: 1, light: {level: 3000}}
      - 5
      """)
    #expect(found == [
      "c.yaml:1:12: unknown key 'learning.bach'. Known here: batch, rate. Did you mean 'batch'?",
      "c.yaml:2:16: 'light.level' is 2000; allowed: below 1000",
      "c.yaml:4:13: unknown key 'stages.0.stepz'. Known here: epochs, initialize, learning, light, name, steps. Did you mean 'steps'?",
      "c.yaml:4:51: 'stages.0.learning.rate': expected a number, found text 'x'",
      "c.yaml:7:11: unknown key 'stages.1.light.leval'. Known here: colours, level, preset. Did you mean 'level'?",
      "c.yaml:7:28: 'stages.1.light.level' is 5000; allowed: below 1000",
      "c.yaml:8:3: unknown key 'stages.1.extra'. Known here: epochs, initialize, learning, light, name, steps.",
      "c.yaml:9:38: 'stages.2.light.level' is 3000; allowed: below 1000",
      "c.yaml:10:3: 'stages.3': expected a map with the keys epochs, initialize, learning, light, name, steps, found the number 5",
    ])
    #expect(errors("stages: 3\n") == ["c.yaml:1:9: 'stages': expected a list, found the number 3"])
    #expect(errors("stages: [{name: a, steps: 1}]\n", ["stages.0.learning.bat=1"])[0].hasPrefix("--set stages.0.learning.bat=1: unknown key"))
  }

  @Test func sectionsThatNoStageMayChange() {
    #expect(errors("stages: [{name: a, steps: 1, frame: {rate: 1}, plan: {steps: 3}}]\n") == [
      "c.yaml:1:30: 'stages.0.frame': a stage cannot change this section", "c.yaml:1:48: 'stages.0.plan': a stage cannot change this section",
    ])
  }

  @Test func lengthsOfStages() throws {
    let loaded = try load("stages: [{name: a, epochs: 3}, {name: b, steps: 5}]\n")
    #expect(loaded.stages.map(\.epochs) == [3, 0] && loaded.stages.map(\.steps) == [0, 5])
    #expect(try load(loaded.resolvedYAML).stages.map(\.epochs) == [3, 0])
    #expect(errors("stages: [{name: a, epochs: 3, steps: 2}]\n")[0].hasSuffix("'stages.0.steps' is 2; allowed: not to be set with epochs"))
    #expect(errors("stages: [{name: a}]\n")[0].hasSuffix("'stages.0.steps' is 0; allowed: 1 to 1000000000, or epochs instead"))
    #expect(errors("stages: [{name: a, steps: 2}, {name: a, steps: 3}]\n")[0].hasSuffix("'stages.1.name' is a; allowed: a name that no stage before has"))
    #expect(errors("plan: {steps: 9}\nstages: [{name: a, steps: 2}]\n")
            == ["c.yaml:1:15: 'plan.steps' is 9; allowed: at most 2, the steps of all stages"])
    #expect(errors("plan: {epochs: 9}\nstages: [{name: a, steps: 2}]\n")[0].contains("'plan.epochs': the stages have lengths of their own"))
    let whole = try load("plan: {epochs: 7}\n")
    #expect(whole.stages.map(\.epochs) == [7] && whole.stages[0].steps == 0 && whole.stages[0].name.isEmpty && whole.stages[0].section.isEmpty)
  }

  /// The weights to begin with are those of the first stage; later ones take over, unless they name some themselves.
  @Test func laterStagesDoNotBeginAgain() throws {
    let loaded = try load("""
      initialize: {from: a.safetensors, strict: false}
      stages:
      - {name: a, steps: 1}
      - {name: b, steps: 1}
      - {name: c, steps: 1, initialize: {from: c.safetensors}}
      """)
    #expect(loaded.stages.map(\.config.initialize.from) == ["a.safetensors", "", "c.safetensors"])
    #expect(loaded.stages.map(\.config.initialize.strict) == [false, true, true])
    #expect(try load(loaded.resolvedYAML).stages.map(\.config.initialize) == loaded.stages.map(\.config.initialize))
  }

  /// Configs of older versions stay valid; in each layer, in stages and in options.
  @Test func oldKeysAreTakenUnderTheirNewNames() throws {
    #expect(try load("speed: {rate: 3}\n").value.learning == .init(rate: 3, batch: 4))
    #expect(try load("learning: {size: 3}\n").value.learning == .init(rate: 0.5, batch: 3))
    #expect(try load("light: {brightness: 3}\nlamps: [{brightness: 4}]\n").value.lamps.map(\.level) == [4])
    #expect(try load("learning: {rate: 2}\n", ["speed.rate=3", "light.brightness=5"]).value.learning.rate == 3)
    #expect(try load("", ["light.brightness=5"]).value.light.level == 5)
    let staged = try load("speed: {rate: 3}\nstages: [{name: a, steps: 1, speed: {rate: 4}, light: {brightness: 3}}, {name: b, steps: 1}]\n")
    #expect(staged.stages.map(\.config.learning.rate) == [4, 3] && staged.stages.map(\.config.light.level) == [3, 1])
    #expect(try load(staged.resolvedYAML).stages.map(\.config) == staged.stages.map(\.config))
  }

  @Test func oldAndNewNamesTogetherAreAnError() {
    #expect(errors("speed: {rate: 3}\nlearning: {rate: 4}\n")[0] == "c.yaml:1:9: unknown key 'speed.rate'. It is now 'learning.rate'.")
    #expect(errors("light: {level: 1, brightness: 3}\n")[0] == "c.yaml:1:19: unknown key 'light.brightness'. It is now 'light.level'.")
    #expect(errors("speed: {rat: 3}\n")[0].hasPrefix("c.yaml:1:9: unknown key 'speed.rat'. It is now 'learning.rate'."))
  }
}

/// A config in which the kind of lens decides which other keys count.
private struct SelectiveSample: TaskConfig, Equatable {
  struct Lens: Equatable, Codable, Sendable, SelectiveConfig {
    enum Kind: String, ConfigChoice { case fixed, zoom }

    var kind = Kind.fixed
    var range = 3
    var width = 1

    static let selector = "kind"
    var unusedKeys: [String] { kind == .fixed ? ["range"] : [] }
  }

  var lens = Lens()
  var initialize = Initialization()
  var plan = Plan()
}

@Suite struct SelectiveConfigTests {
  private func load(_ yaml: String, _ settings: [String] = []) throws -> LoadedConfig<SelectiveSample> {
    try ConfigLoader(defaults: SelectiveSample()).load(yaml: yaml, named: "c.yaml", overrides: settings.map { try ConfigOverride(setting: $0) })
  }

  @Test func aKeyWithoutEffectIsReported() {
    #expect { try load("lens: {kind: fixed, range: 2}\n") } throws: {
      "\($0)" == "c.yaml:1:21: 'lens.range' has no effect with kind: fixed; leave it out"
    }
    #expect { try load("lens: {kind: zoom}\nstages: [{name: a, steps: 1, lens: {kind: fixed, range: 2}}]\n") } throws: {
      "\($0)" == "c.yaml:2:50: 'stages.0.lens.range' has no effect with kind: fixed; leave it out"
    }
    #expect { try load("", ["lens.range=3"]) } throws: { "\($0)".contains("'lens.range' has no effect") }
  }

  /// The key was right where it was written; a layer above chose otherwise.
  @Test func aKeyOfALowerLayerIsPassedOver() throws {
    #expect(try load("lens: {kind: zoom, range: 2}\n", ["lens.kind=fixed"]).value.lens.kind == .fixed)
    let staged = try load("lens: {kind: zoom, range: 2}\nstages: [{name: a, steps: 1, lens: {kind: fixed}}]\n")
    #expect(staged.stages[0].config.lens.kind == .fixed)
  }

  @Test func theResolvedConfigLeavesItOut() throws {
    let loaded = try load("lens: {kind: fixed, width: 4}\n")
    #expect(!loaded.resolvedYAML.contains("range") && loaded.resolvedYAML.contains("width: 4"))
    #expect(try load(loaded.resolvedYAML).resolvedYAML == loaded.resolvedYAML)
  }
}
