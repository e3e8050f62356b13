import CKernels
import Foundation

/// Peak speed of this machine's cores, the scale for the speed of everything else.
public enum ProcessorPeak {
  /// Float32 operations per second of multiply-adds that never leave the registers, on all threads of the pool and with the best
  /// instruction set of the processor, whatever `APUS_ISA` says. A multiply-add counts as two.
  ///
  /// The fastest of many short trials, because other programs can only make it slower. Units for matrix products (AMX) are not measured:
  /// a product may exceed this peak where a processor has them.
  /// - Parameter seconds: how long to try.
  public static func measured(seconds: Double = 0.3) -> Double {
    guard let table = apus_kernels_float32(apus_best_isa()) else { return 0 }
    let kernels = table.pointee, count = 768, rounds = 20_000
    let chunks = 8 * ThreadPool.shared.threadCount
    let operations = 2 * Double(count * rounds * chunks)
    let start = ContinuousClock.now
    var best = Double.infinity
    repeat {
      let trial = ContinuousClock().measure {
        parallelFor(chunks) { range in
          withScratch(count, .float32) { values in
            kernels.fill(values, count, 0.5)
            for _ in range { kernels.multiply_add(rounds, 0.999, 0.001, values, count) }
          }
        }
      }
      best = min(best, trial / .seconds(1))
    } while ContinuousClock.now - start < .seconds(seconds)
    return operations / best
  }
}
