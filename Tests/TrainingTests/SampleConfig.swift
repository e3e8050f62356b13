import Base
import Training

/// A config with everything that a config may hold.
struct SampleConfig: Codable, Sendable, Equatable {
  enum Schedule: String, ConfigChoice { case constant, oneCycle, cosine }

  struct Size: Codable, Sendable, Equatable {
    var height = 368
    var width = 496
  }

  struct Optimizer: Codable, Sendable, Equatable, ValidatedConfig {
    var betas = [0.9, 0.999]
    var epsilon = 1e-8
    var peakLearningRate = 4e-4
    var weightDecay = 1e-4

    func problems() -> [ConfigProblem] {
      var problems: [ConfigProblem] = []
      problems.require(weightDecay >= 0, "weight_decay", weightDecay, "0 or more")
      for (index, beta) in betas.enumerated() { problems.require(beta < 1, "betas.\(index)", beta, "below 1") }
      return problems
    }
  }

  struct Stage: ConfigElement, Equatable {
    var dataset = "chairs"
    var weight = 1.0
    var schedule = Schedule.oneCycle
  }

  var name = "raft"
  var cropSize = Size()
  var optimizer = Optimizer()
  var schedule = Schedule.oneCycle
  var stages: [Stage] = []
  var depths = [1, 2, 3]
  var tags: [String] = []
  var isMixed = false
  var gradientClip: Float = 1
  var plan = Plan()
}
