import Foundation

extension Fixture {
  /// A file of `Tests/Fixtures` in JSON.
  public static func json<Value: Decodable>(_ file: String, as type: Value.Type = Value.self) throws -> Value {
    try JSONDecoder().decode(type, from: Data(contentsOf: URL(filePath: path(file))))
  }
}
