import Base
import Foundation
import Models
import Networks
import Tensors
import Training

func now() -> Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-6 }
let mode = CommandLine.arguments.dropFirst().first ?? "infer"
let recompute = CommandLine.arguments.dropFirst(2).first == "recompute"
var random = Random(seed: 1, stream: .test)
var config = HRNetPose.Config(.w32)
config.backbone.recompute = recompute
let model = HRNetPose(config, &random)
let batch = mode == "infer" ? 1 : 4
let images = Tensor.normal([batch, 256, 192, 3], &random)
let target = Tensor.uniform([batch, 64, 48, 17], from: 0, to: 1, &random)
let weight = Tensor.ones([batch, 17])
let learner = try Learner(LearnerPlan("", model, OptimizerConfig(.adam, learningRate: 1e-3), Schedule(.constant)), steps: 1)
let run: () throws -> Void = {
  if mode == "infer" { noGradient { _ = model(images, .evaluation) } } else {
    try learner.update(heatmapMSE(model(images, Pass(.training)), target, weight: weight), at: 0)
  }
}
for _ in 0..<3 { try run() }
var times: [Double] = []
for _ in 0..<(mode == "infer" ? 30 : 8) { let t = now(); try run(); times.append(now() - t) }
times.sort()
print("min \(times[0]) median \(times[times.count / 2]) ms; pool \(MemoryPool.statistics)")
var groups: [String: (count: Int, time: Double, flops: Double)] = [:]
let rounds = mode == "infer" ? 10 : 3
for _ in 0..<rounds {
  Profiler.start()
  try run()
  for event in Profiler.stop().events {
    let shapes = event.kind == .backward ? "\(event.inputs.first ?? [])->\(event.outputs)" : "\(event.inputs.prefix(2))->\(event.outputs)"
    let key = "\(event.kind.rawValue.prefix(3)) \(event.name) \(event.algorithms.joined(separator: "+")) \(shapes)"
    let old = groups[key] ?? (0, 0, 0)
    groups[key] = (old.count + 1, old.time + Double(event.ownDuration) * 1e-6, old.flops + Double(event.flops) * 1e-9)
  }
}
let total = groups.values.map(\.time).reduce(0, +) / Double(rounds)
print("profiled \(total) ms")
for (key, g) in groups.sorted(by: { $0.value.time > $1.value.time }).prefix(45) {
  print(String(format: "%7.2f ms %5.1f%% n=%d each %.3f ms %5.0f GF/s  ", g.time / Double(rounds), 100 * g.time / Double(rounds) / total, g.count / rounds, g.time / Double(g.count), g.flops / g.time * 1e3) + key)
}
print(try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("VmHWM") || $0.hasPrefix("VmRSS") || $0.hasPrefix("RssAnon") })
print("pool", MemoryPool.statistics)
print(try String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("AnonHuge") || $0.hasPrefix("Rss") })
