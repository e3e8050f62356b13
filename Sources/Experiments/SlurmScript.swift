import Base

/// A batch script for Slurm: an array with one task for each job, which is put back into the queue when its time slot ends.
public struct SlurmScript {
  private let ablation: Ablation
  private let limits: JobLimits

  public init(_ ablation: Ablation, _ limits: JobLimits) { (self.ablation, self.limits) = (ablation, limits) }

  /// The path below the folder of the runs.
  public var path: String { Path.join(ablation.out, "ablate.sbatch") }

  /// To be submitted from the folder in which it was written, for the paths are relative to it.
  public var text: String {
    let memory = limits.memory.map { "#SBATCH --mem=\($0 >> 20)M\n" } ?? ""
    return """
      #!/bin/bash
      # Submit: sbatch \(path.quotedShell)
      # Afterwards, for the tables: \(ablation.command) --out \(ablation.out.quotedShell)
      #SBATCH --job-name=\("apus-\(ablation.experiment.name)".fileNamePart)
      #SBATCH --array=1-\(ablation.jobCount)
      #SBATCH --ntasks=1
      #SBATCH --cpus-per-task=\(limits.threads)
      \(memory)#SBATCH --signal=USR1@90
      #SBATCH --requeue
      #SBATCH --open-mode=append
      #SBATCH --output="\(ablation.out)/slurm-%A_%a.log"
      # Add what your site wants: --time, --partition, --account.

      srun apus ablate \(ablation.experiment.specPath.quotedShell) --out \(ablation.out.quotedShell) \\
        --job "$SLURM_ARRAY_TASK_ID" --cores \(limits.threads) --threads-per-job \(limits.threads)
      code=$?
      # 75: the time slot ends, everything is saved, and the same job goes on in the next one.
      if [ $code -eq 75 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
      exit $code

      """
  }

  /// Writes the script; nothing is submitted.
  public func write() throws {
    try File.createFolder(ablation.out)
    try AtomicFile.write(text, to: path)
  }
}

extension String {
  /// The text as one word of a shell.
  var quotedShell: String {
    let isPlain = unicodeScalars.allSatisfy { $0.isASCII && ($0.properties.isAlphabetic || "0123456789_./-".unicodeScalars.contains($0)) }
    return !isEmpty && isPlain ? self : "'" + replacing("'", with: "'\\''") + "'"
  }
}
