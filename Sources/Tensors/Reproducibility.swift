import Synchronization

/// The range of machines on which a run gives the same bits. On one machine it always does, with any number of threads and workers.
public enum Reproducibility: String, Codable, Sendable, CaseIterable {
  /// On this machine: products run on the fastest kernels, which may be those of OpenBLAS; their last bits depend on its version and on
  /// the processor family it recognises.
  case machine
  /// On all processors with AVX2 or AVX-512: our own product kernels everywhere, whose sums do not depend on the length of vectors.
  case processors

  private static let setting = Atomic<Int>(0)

  /// The promise that all ops of this process keep from now on. Not to be changed while ops run.
  public static var current: Reproducibility {
    get { allCases[setting.load(ordering: .relaxed)] }
    set { setting.store(allCases.firstIndex(of: newValue) ?? 0, ordering: .relaxed) }
  }
}
