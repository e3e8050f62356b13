// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Apus",
  products: [
    .executable(name: "apus", targets: ["apus"]),
    .library(name: "Apus", targets: ["Tensors", "Networks", "WeightFiles", "Vision", "Data", "Drawing", "Synthesis", "Models", "Training", "Tasks", "Experiments"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: [
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .target(name: "CPNG", linkerSettings: [.linkedLibrary("png16"), .linkedLibrary("z")]),
    .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
    .systemLibrary(name: "CCairo", pkgConfig: "cairo-ft", providers: [.apt(["libcairo2-dev"])]),
    .target(name: "CKernels"),
    .target(name: "Base", dependencies: [.product(name: "SystemPackage", package: "swift-system")]),
    .target(name: "Tensors", dependencies: ["Base", "CKernels", "COpenBLAS"]),
    .target(name: "WeightFiles", dependencies: ["Base", "Tensors"]),
    .target(name: "Networks", dependencies: ["Base", "Tensors", "WeightFiles"]),
    .target(name: "Vision", dependencies: ["Base"]),
    .target(name: "Data", dependencies: ["Base", "Vision", "CPNG", "CJPEG"]),
    .target(name: "Drawing", dependencies: ["Base", "Vision", "Data", "CCairo"]),
    .target(name: "Synthesis", dependencies: ["Base", "Vision", "Data"]),
    .target(name: "Models", dependencies: ["Base", "Tensors", "Networks", "WeightFiles", "Vision"]),
    .target(
      name: "Training",
      dependencies: ["Base", "Tensors", "Networks", "WeightFiles", "Data", .product(name: "Yams", package: "Yams")]),
    .target(
      name: "Tasks",
      dependencies: ["Base", "Tensors", "Networks", "WeightFiles", "Vision", "Data", "Drawing", "Synthesis", "Models", "Training"]),
    .target(name: "Experiments", dependencies: ["Base", "Drawing", "Training", "Tasks"]),
    .target(name: "Benchmarks", dependencies: ["Base", "Tensors", "Networks", "Vision", "Models", "Training"]),
    .executableTarget(
      name: "apus",
      dependencies: [
        "Base", "Tasks", "Experiments", "Benchmarks", "Training", "Tensors",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .target(name: "TestSupport", dependencies: ["Base", "Vision", "Data", "Tensors", "Networks", "WeightFiles"], path: "Tests/TestSupport"),
    .testTarget(name: "KernelsTests", dependencies: ["CKernels"]),
    .testTarget(name: "TensorsTests", dependencies: ["Base", "Tensors", "TestSupport", "COpenBLAS"]),
    .testTarget(name: "NetworksTests", dependencies: ["Base", "Networks", "WeightFiles", "Tensors", "TestSupport"]),
    .testTarget(name: "BaseTests", dependencies: ["Base", "TestSupport"]),
    .testTarget(name: "VisionTests", dependencies: ["Base", "Vision", "TestSupport"]),
    .testTarget(name: "DrawingTests", dependencies: ["Base", "Drawing", "Data", "Vision", "TestSupport"]),
    .testTarget(name: "DataTests", dependencies: ["Base", "Data", "Synthesis", "Vision", "TestSupport"]),
    .testTarget(name: "SynthesisTests", dependencies: ["Base", "Data", "Synthesis", "Vision", "TestSupport"]),
    .testTarget(name: "ModelsTests", dependencies: ["Base", "Models", "Networks", "WeightFiles", "Vision", "Tensors", "TestSupport"]),
    .executableTarget(name: "Trial", dependencies: ["Base", "Training"], path: "Tests/Trial"),
    .testTarget(name: "TrainingTests", dependencies: ["Base", "Training", "Trial", "Networks", "WeightFiles", "Data", "Tensors", "TestSupport"]),
    .testTarget(
      name: "TasksTests",
      dependencies: ["Base", "Tasks", "Training", "Models", "Networks", "WeightFiles", "Data", "Synthesis", "Vision", "Tensors", "TestSupport"]),
    .testTarget(name: "ExperimentsTests", dependencies: ["Base", "Data", "Vision", "Training", "Experiments"]),
    .testTarget(name: "BenchmarksTests", dependencies: ["Base", "Benchmarks", "Tensors"]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "apus", "Base", "Data", "Synthesis", "Vision", "Networks", "WeightFiles", "Tensors", "Training", "Experiments", "TestSupport",
      ]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
