// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Apus",
  products: [
    .executable(name: "apus", targets: ["apus"]),
    .library(name: "Apus", targets: ["Tensors", "Networks", "Vision", "Data", "Models", "Training", "Recipes"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .target(name: "CPNG", linkerSettings: [.linkedLibrary("png16"), .linkedLibrary("z")]),
    .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
    .target(name: "CKernels"),
    .target(name: "Tensors", dependencies: ["CKernels"]),
    .target(name: "Networks", dependencies: ["Tensors"]),
    .target(name: "Vision"),
    .target(name: "Data", dependencies: ["Tensors", "Vision", "CPNG", "CJPEG"]),
    .target(name: "Models", dependencies: ["Tensors", "Networks", "Vision"]),
    .target(name: "Training", dependencies: ["Tensors", "Networks", .product(name: "Yams", package: "Yams")]),
    .target(name: "Recipes", dependencies: ["Tensors", "Networks", "Vision", "Data", "Models", "Training"]),
    .target(name: "Benchmarks", dependencies: ["Tensors", "Networks", "Models", "Training"]),
    .executableTarget(
      name: "apus",
      dependencies: ["Recipes", "Benchmarks", "Training", "Tensors", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    .target(name: "TestSupport", dependencies: ["Tensors", "Networks"], path: "Tests/TestSupport"),
    .systemLibrary(name: "COpenBLAS", path: "Tests/COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .testTarget(name: "KernelsTests", dependencies: ["CKernels"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "TestSupport", "COpenBLAS"]),
    .testTarget(name: "NetworksTests", dependencies: ["Networks", "Tensors", "TestSupport"]),
    .testTarget(name: "VisionTests", dependencies: ["Vision"]),
    .testTarget(name: "DataTests", dependencies: ["Data", "Vision", "Tensors"]),
    .testTarget(name: "ModelsTests", dependencies: ["Models", "Networks", "Tensors", "TestSupport"]),
    .testTarget(name: "TrainingTests", dependencies: ["Training", "Networks", "Tensors", "TestSupport"]),
    .testTarget(name: "RecipesTests", dependencies: ["Recipes", "Training", "Models", "Networks", "Data", "Vision", "Tensors", "TestSupport"]),
    .testTarget(name: "BenchmarksTests", dependencies: ["Benchmarks", "Tensors"]),
    .testTarget(name: "CommandTests", dependencies: ["apus", "Data", "Vision", "Networks", "Tensors"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
