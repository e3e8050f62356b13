import Base
import Testing
import Training

/// A config with stages and a section whose defaults depend on what is written.
private struct StagedSample: StagedConfig, Equatable, ValidatedConfig {
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

  struct Stage: ConfigElement, Equatable {
    var name = ""
    var steps = 0
    var light = Light()
    var learning = Learning()
  }

  var light = Light()
  var learning = Learning()
  var lamps: [Light] = []
  var plan = Plan()
  var stages: [Stage] = []

  static let stagedSections = ["light", "learning"]

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
    let loaded = try load(yaml), stages = loaded.value.stages
    #expect(stages.map(\.steps) == [10, 20, 30] && stages.map(\.learning.rate) == [0.5, 0.25, 0.5] && stages.map(\.learning.batch) == [9, 9, 1])
    #expect(stages.map(\.light.level) == [3, 3, 4] && stages.map(\.light.colours) == [[1], [7, 8], [1]])
    #expect(loaded.value.plan.steps == 60, "the sum of the stages")
    #expect(try load("plan: {steps: 7}\n" + yaml).value.plan.steps == 7)
    #expect(try load(yaml, ["stages.1.steps=1", "learning.batch=2"]).value.plan.steps == 41)
    #expect(try load(yaml, ["learning.batch=2"]).value.stages.map(\.learning.batch) == [2, 2, 1])
    let again = try load(loaded.resolvedYAML)
    #expect(again.value == loaded.value && again.resolvedYAML == loaded.resolvedYAML)
    let origins = Dictionary(uniqueKeysWithValues: loaded.origins.map { ($0.key, $0.origin.summary) })
    #expect(origins["stages.1.learning.rate"] == "c.yaml:5" && origins["stages.1.learning.batch"] == "c.yaml:1")
    #expect(origins["stages.0.learning.rate"] == "default" && origins["stages.2.light.level"] == "c.yaml:9")
  }

  @Test func errorsInStagesHaveTheirPlaces() {
    let found = errors("""
      learning: {bach: 9}
      light: {level: 2000}
      stages:
      - {name: a, stepz: 10, learning: {rate: x}}
      - name: b
        light: {leval: 3, level: 5000}
        extra: {a: 1}
      - {name: c, light: {level: 3000}}
      - 5
      """)
    #expect(found == [
      "c.yaml:1:12: unknown key 'learning.bach'. Known here: batch, rate. Did you mean 'batch'?",
      "c.yaml:2:16: 'light.level' is 2000; allowed: below 1000",
      "c.yaml:4:13: unknown key 'stages.0.stepz'. Known here: learning, light, name, steps. Did you mean 'steps'?",
      "c.yaml:4:41: 'stages.0.learning.rate': expected a number, found text 'x'",
      "c.yaml:6:11: unknown key 'stages.1.light.leval'. Known here: colours, level, preset. Did you mean 'level'?",
      "c.yaml:6:28: 'stages.1.light.level' is 5000; allowed: below 1000",
      "c.yaml:7:3: unknown key 'stages.1.extra'. Known here: learning, light, name, steps.",
      "c.yaml:8:28: 'stages.2.light.level' is 3000; allowed: below 1000",
      "c.yaml:9:3: 'stages.3': expected a map with the keys learning, light, name, steps, found the number 5",
    ])
    #expect(errors("stages: 3\n") == ["c.yaml:1:9: 'stages': expected a list, found the number 3"])
    #expect(errors("stages: [{name: a, steps: 1}]\n", ["stages.0.learning.bat=1"])[0].hasPrefix("--set stages.0.learning.bat=1: unknown key"))
  }
}
