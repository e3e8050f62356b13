import Foundation

/// The speed of a run: smoothed seconds per step, and means over the log interval. Clock readings never enter a checkpoint.
struct StepTimer {
  private var smoothedTime = SmoothedMean(window: 20)
  private var smoothedDataTime = SmoothedMean(window: 20)
  private var count = 0
  private var samples = 0
  private var seconds = 0.0
  private var dataSeconds = 0.0

  mutating func add(seconds: Double, _ report: StepReport) {
    smoothedTime.add(seconds)
    smoothedDataTime.add(report.dataSeconds)
    count += 1
    samples += report.samples
    self.seconds += seconds
    dataSeconds += report.dataSeconds
  }

  /// Forgets all but the smoothed numbers.
  mutating func startInterval() {
    (count, samples, seconds, dataSeconds) = (0, 0, 0, 0)
  }

  func status(step: Int, of steps: Int, _ report: StepReport) -> TrainingStatus {
    let time = smoothedTime.value
    let rate = report.learningRates.first?.value ?? 0
    return TrainingStatus(step: step, steps: steps, learningRate: rate, metrics: report.metrics, time: time,
                          dataTime: smoothedDataTime.value, samplesPerSecond: time > 0 ? Double(report.samples) / time : 0)
  }

  /// Means over the interval: seconds for a step, seconds of them waiting for data, samples a second; and the most memory
  /// the process ever held, in MiB.
  func clock(wall: Double) -> Metrics {
    let n = Double(max(1, count))
    return ["wall": wall, "time": seconds / n, "data_time": dataSeconds / n,
            "samples_per_second": seconds > 0 ? Double(samples) / seconds : 0, "memory": StepTimer.peakMemoryMiB]
  }

  private static var peakMemoryMiB: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return (Double(usage.ru_maxrss) / 1024).rounded()
  }
}
