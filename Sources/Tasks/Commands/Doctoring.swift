import Drawing
import Training

extension SystemReport {
  /// The report on this machine and installation, with every library that the program uses.
  public static var whole: SystemReport { SystemReport(libraries: [Typeface.report]) }
}
