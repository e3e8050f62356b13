import Base
import Foundation
import Testing
import Training

@Suite struct ConfigTests {
  let loader = ConfigLoader(defaults: SampleConfig())

  func load(_ yaml: String, _ settings: [String] = []) throws -> LoadedConfig<SampleConfig> {
    try loader.load(yaml: yaml, named: "c.yaml", overrides: settings.map { try ConfigOverride(setting: $0) })
  }

  /// The lines of the failure that loading gives.
  func errors(_ yaml: String, _ settings: [String] = []) -> [String] {
    do {
      _ = try load(yaml, settings)
      return []
    } catch {
      guard let failure = error as? Failure else { return ["not a Failure: \(error)"] }
      #expect(failure.kind == .usage)
      return failure.description.split(separator: "\n").map(String.init).filter { !$0.hasSuffix(" problems") }
    }
  }

  @Test func anEmptyFileGivesTheDefaults() throws {
    #expect(try load("").value == SampleConfig())
    #expect(try load("# only a comment\n").value == SampleConfig())
    #expect(try load("optimizer:\n  # all left out\nname: raft\n").value == SampleConfig())
  }

  @Test func mapsMergeAndListsAreReplaced() throws {
    let config = try load("crop_size: {height: 8}\ndepths: [7]\ngradient_clip: 2\nschedule: cosine\nis_mixed: true\n").value
    #expect(config.cropSize == SampleConfig.Size(height: 8, width: 496))
    #expect(config.depths == [7])
    #expect(config.gradientClip == 2)  // a whole number where a number is due
    #expect(config.schedule == .cosine)
    #expect(config.isMixed)
  }

  @Test func listElementsTakeTheirTypesDefaults() throws {
    let config = try load("stages:\n- weight: 0.5\n- dataset: things\n  schedule: constant\n").value
    #expect(config.stages == [.init(weight: 0.5), .init(dataset: "things", schedule: .constant)])
  }

  @Test func theCommandLineComesLast() throws {
    let settings = ["optimizer.betas=[0.5, 0.6]", "optimizer.betas.1=0.7", "name='12'", "plan.steps=10"]
    let config = try load("plan: {steps: 5}\n", settings).value
    #expect(config.optimizer.betas == [0.5, 0.7])
    #expect(config.name == "12")
    #expect(config.plan.steps == 10)
  }

  @Test func anUnknownKeyIsExplained() {
    #expect(errors("name: x\noptimizer:\n  learningrate: 1\n") == [
      "c.yaml:3:3: unknown key 'optimizer.learningrate'. "
        + "Known here: betas, epsilon, peak_learning_rate, weight_decay. Did you mean 'peak_learning_rate'?"
    ])
    #expect(errors("optimizer: {weightDecay: 1}")[0].hasSuffix("Did you mean 'weight_decay'?"))
    #expect(errors("", ["optimzer.epsilon=1"])[0].hasPrefix("--set optimzer.epsilon=1: unknown key 'optimzer'."))
    #expect(errors("zzzzzz: 1")[0].hasSuffix("tags."))
  }

  @Test(arguments: [
    ("plan: {steps: abc}", "c.yaml:1:15: 'plan.steps': expected a whole number, found text 'abc'"),
    ("plan: {steps: 0.5}", "c.yaml:1:15: 'plan.steps': expected a whole number, found the number 0.5"),
    ("plan: {steps: 1e3}", "c.yaml:1:15: 'plan.steps': expected a whole number, found the number 1e3"),
    ("plan: {steps: '3'}", "c.yaml:1:15: 'plan.steps': expected a whole number, found text '3'"),
    ("gradient_clip: abc", "c.yaml:1:16: 'gradient_clip': expected a number, found text 'abc'"),
    ("gradient_clip: true", "c.yaml:1:16: 'gradient_clip': expected a number, found true"),
    ("gradient_clip:", "c.yaml:1:15: 'gradient_clip': expected a number, found nothing"),
    ("is_mixed: 1", "c.yaml:1:11: 'is_mixed': expected true or false, found the number 1"),
    ("name: 5", "c.yaml:1:7: 'name': expected text, found the number 5; write '5' in quotes"),
    ("depths: 5", "c.yaml:1:9: 'depths': expected a list, found the number 5"),
    ("depths: [1, x]", "c.yaml:1:13: 'depths.1': expected a whole number, found text 'x'"),
    ("crop_size: 5", "c.yaml:1:12: 'crop_size': expected a map with the keys height, width, found the number 5"),
    ("schedule: onecycle", "c.yaml:1:11: 'schedule': expected one of constant, one_cycle, cosine, found text 'onecycle'. Did you mean 'one_cycle'?"),
    ("stages: [{wieght: 1}]", "c.yaml:1:11: unknown key 'stages.0.wieght'. Known here: dataset, schedule, weight. Did you mean 'weight'?"),
    ("optimizer: {weight_decay: -1}", "c.yaml:1:27: 'optimizer.weight_decay' is -1.0; allowed: 0 or more"),
    ("optimizer: {betas: [0.9, 1.5]}", "c.yaml:1:26: 'optimizer.betas.1' is 1.5; allowed: below 1"),
    ("plan: {steps: x}", "c.yaml:1:15: 'plan.steps': expected a whole number, found text 'x'"),  // and no range on top
    ("- 1", "c.yaml:1:1: the config: expected a map with the keys crop_size, depths, gradient_clip, is_mixed, name, optimizer, plan, schedule, stages, tags, found a list"),
  ])
  func aWrongValueIsExplained(yaml: String, message: String) {
    #expect(errors(yaml) == [message])
  }

  @Test func allErrorsComeAtOnceInReadingOrder() {
    let yaml = "plan:\n  steps: 0\n  log_every: x\nnam: y\noptimizer:\n  weight_decay: -1\ncrop_size: []\n"
    let found = errors(yaml, ["depths=q", "is_mixed=maybe"])
    #expect(found.map { $0.prefix { $0 != " " } } == ["c.yaml:2:10:", "c.yaml:3:14:", "c.yaml:4:1:", "c.yaml:6:17:", "c.yaml:7:12:", "--set", "--set"])
    #expect(throws: Failure.self) { try ConfigOverride(setting: "optimizer.epsilon") }
    #expect(throws: Failure.self) { try ConfigOverride(setting: "a..b=1") }
  }

  @Test func brokenYAMLAndDuplicatesHaveAPlace() {
    #expect(errors("a: [1, 2\nb: 3\n")[0].hasPrefix("c.yaml:2:"))
    #expect(errors("name: x\nplan:\n  steps: 1\n  seed: 2\n  steps: 3\n") == ["c.yaml:5:3: duplicate key 'steps', first seen in line 3"])
    #expect(errors("a: &a [1]\nb: *c\n")[0].hasPrefix("c.yaml:2:4: this is not valid YAML"))
    #expect(errors("", ["depths=[1"])[0].hasPrefix("--set depths=[1: this is not valid YAML"))
    #expect(errors("? [1, 2]\n: 3\n") == ["c.yaml:1:3: a key must be a plain name"])
  }

  @Test func aliasesOfAliasesAreRefusedInTime() {
    let bomb = (1...12).reduce("a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n") { text, level in
      text + "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ") + "]\n"
    }
    #expect(errors(bomb)[0].contains("too large"))
  }

  @Test func oneParentIsLaidUnder() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write("name: parent\ndepths: [9]\noptimizer: {epsilon: 1}\n", to: "base.yaml")
    let child = try folder.write("base: ../base.yaml\nname: child\n", to: "raft/child.yaml")
    let loaded = try loader.load(file: child)
    #expect(loaded.value.name == "child")
    #expect(loaded.value.depths == [9])
    #expect(loaded.value.optimizer.epsilon == 1)
    let origins = Dictionary(uniqueKeysWithValues: loaded.origins.map { ($0.key, $0.origin.summary) })
    #expect(origins["name"] == "\(child):2")
    #expect(origins["depths"] == "\(folder.path)/base.yaml:2")
    #expect(origins["optimizer.betas"] == "default")
    let grandchild = try folder.write("base: raft/child.yaml\n", to: "grandchild.yaml")
    #expect { try loader.load(file: grandchild) } throws: {
      ($0 as? Failure)?.kind == .usage && "\($0)".hasPrefix("\(folder.path)/raft/child.yaml:1:1: ")
    }
    let orphan = try folder.write("base: gone.yaml\n", to: "orphan.yaml")
    #expect { try loader.load(file: orphan) } throws: { ($0 as? Failure)?.kind == .missingInput && "\($0)".contains("orphan.yaml:1:7") }
    #expect { try loader.load(file: "\(folder.path)/none.yaml") } throws: { ($0 as? Failure)?.kind == .missingInput }
  }

  @Test func theResolvedTextGivesTheSameConfig() throws {
    var config = SampleConfig()
    config.name = "a \"b\": #c\n\u{7}é"
    config.tags = ["true", "12", "", "~", "null", "plain", "a, b", "1e5", "- x", "2024-01-01", "no"]
    config.optimizer.epsilon = 1e-30
    config.optimizer.peakLearningRate = 0.1 + 0.2
    config.optimizer.weightDecay = .infinity
    config.gradientClip = 1e-7
    config.stages = [.init(), .init(dataset: "/data/x.y", weight: 1e300, schedule: .cosine)]
    config.depths = []
    let text = try ConfigLoader(defaults: config).load(yaml: "", named: "none").resolvedYAML
    let again = try load(text)
    #expect(again.value == config)
    #expect(again.resolvedYAML == text)
  }

  @Test func showSaysWhereValuesComeFrom() throws {
    let shown = try load("optimizer:\n  epsilon: 1\nstages: [{weight: 2}]\n", ["plan.seed=7", "depths.0=4"]).annotatedYAML
    let lines = shown.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ") }
    #expect(lines.contains("epsilon: 1.0 # c.yaml:2"))
    #expect(lines.contains("seed: 7 # --set plan.seed=7"))
    #expect(lines.contains("depths: [4, 2, 3] # --set depths.0=4"))
    #expect(lines.contains("weight: 2.0 # c.yaml:3"))
    #expect(lines.contains("- dataset: chairs # default"))
    #expect(lines.contains("name: raft # default"))
    #expect(try load(shown).value == load("optimizer:\n  epsilon: 1\nstages: [{weight: 2}]\n", ["plan.seed=7", "depths.0=4"]).value)
  }

  @Test func theRecipeIsReadFirst() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write("schedule: cosine\n", to: "base.yaml")
    let child = try folder.write("base: base.yaml\nunknown: 1\n", to: "child.yaml")
    #expect(try ConfigLayers.choice("schedule", of: SampleConfig.Schedule.self, in: child) == .cosine)
    #expect { try ConfigLayers.choice("task", of: SampleConfig.Schedule.self, in: child) } throws: { "\($0)".contains("missing key 'task'") }
    let wrong = try folder.write("schedule: cosin\n", to: "wrong.yaml")
    #expect { try ConfigLayers.choice("schedule", of: SampleConfig.Schedule.self, in: wrong) } throws: {
      "\($0)" == "\(wrong):1:11: 'schedule': expected one of constant, one_cycle, cosine, found text 'cosin'. Did you mean 'cosine'?"
    }
  }

  @Test(arguments: [("peakLearningRate", "peak_learning_rate"), ("finalLR", "final_lr"), ("URLPath", "url_path"), ("conv1", "conv1"),
                    ("already_snake", "already_snake"), ("logEvery", "log_every")])
  func namesBecomeSnakeCase(swift: String, key: String) {
    #expect(swift.snakeCased == key)
  }

  @Test func thePlanKnowsItsRanges() {
    var plan = Plan()
    #expect(plan.problems().isEmpty)
    (plan.steps, plan.logEvery, plan.evaluateEvery, plan.saveEvery, plan.keepLast) = (0, 0, -1, -1, 0)
    (plan.seed, plan.threads, plan.maxHours) = (-1, -1, .nan)
    #expect(plan.problems().map(\.key) == ["steps", "log_every", "evaluate_every", "save_every", "keep_last", "seed", "threads", "max_hours"])
  }
}
