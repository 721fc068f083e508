// swift-tools-version: 6.2
// An operator with a plugin of one's own. docs/plugins.md walks through it.

import PackageDescription

let package = Package(
  name: "custom-plugin",
  dependencies: [
    // In a package of yours: .package(url: "https://github.com/…/bucket-sync", from: "0.1.0")
    .package(name: "bucket-sync", path: "../.."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .executableTarget(
      name: "my-operator",
      dependencies: [
        .product(name: "BucketSyncOperator", package: "bucket-sync"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ])
  ]
)
