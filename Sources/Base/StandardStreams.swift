import Foundation

/// The standard input, output and error of the process, made safe before anything else is opened.
public enum StandardStreams {
  /// Opens `/dev/null` in place of streams that were closed at start, and ignores SIGPIPE.
  ///
  /// A closed descriptor would be given to the first file that the program opens, and messages would land in it. A reader that goes away
  /// (`| head -1`) must not end a training: writing then fails, and whoever writes decides.
  public static func prepare() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
      // The lowest free descriptor is taken, and all below this one are open.
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY)
    }
    signal(SIGPIPE, SIG_IGN)
  }

  /// Writes a result to the standard output. A reader that has gone away has seen all that it wanted: that is no failure.
  /// - Throws: `.inputOutput` if the output cannot be written, for instance on a full disk.
  public static func write(_ text: String) throws {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count >= 0 {
        bytes = bytes.dropFirst(count)
      } else if errno == EPIPE {
        return
      } else if errno == EAGAIN {
        var waiting = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        poll(&waiting, 1, -1)
      } else if errno != EINTR {
        throw Failure(.inputOutput, at: "standard output", "cannot be written: \(File.reason(errno))")
      }
    }
  }

  /// Writes a message to the standard error, as far as that is possible.
  public static func complain(_ text: String) {
    try? Array(text.utf8).withUnsafeBytes { try File.writeAll($0, to: STDERR_FILENO, path: "stderr") }
  }
}
