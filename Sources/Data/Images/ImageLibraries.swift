import CJPEG
import CPNG

/// The libraries that read and write images.
public enum ImageLibraries {
  /// Their versions on one line, for reports about an installation.
  public static var versions: String {
    "libpng \(String(cString: cpng_version())), zlib \(String(cString: cpng_zlib_version())), libjpeg \(String(cString: cjpeg_version()))"
  }
}
