// swift-tools-version: 6.2
// bucket-sync: see README.md for what it is and docs/architecture.md for how the targets hang together.
//
// Imports point one way: Kubernetes… ← Operator… ← BucketSync… ← plugins ← BucketSyncOperator ← homelab-helper.
// Plugin targets are compiled without package access, so they can use nothing that a plugin outside this
// package could not use.

import PackageDescription

/// The strictest settings the compiler offers; `STRICT=1` (set by `make` and CI) turns warnings into errors.
let strict: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ] + (Context.environment["STRICT"] == "1" ? [.treatAllWarnings(as: .error)] : [])

let package = Package(
  name: "bucket-sync",
  products: [
    .executable(name: "homelab-helper", targets: ["homelab-helper"]),
    // All that a plugin of one's own imports: docs/plugins.md.
    .library(
      name: "BucketSyncOperator",
      targets: [
        "BucketSyncOperator", "BucketSyncCore", "BucketSyncAPI", "OperatorRuntime", "KubernetesClient",
        "KubernetesModel",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // MARK: C libraries
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

    .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),

    // MARK: Kubernetes: objects and the API client
    .target(name: "KubernetesModel", swiftSettings: strict),
    .target(
      name: "KubernetesClient",
      dependencies: [
        "KubernetesModel", "CCurl", "CYAML",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict
    ),

    // MARK: Operator: the generic runtime
    .target(
      name: "OperatorRuntime",
      dependencies: [
        "KubernetesModel", "KubernetesClient",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict
    ),

    // MARK: Standalone: the API server, Jobs and manifests of one machine without Kubernetes
    .target(
      name: "StandaloneAPI",
      dependencies: [
        "KubernetesModel", "KubernetesClient", "OperatorRuntime", "CSQLite",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict
    ),
    .target(name: "CLocalProcess", cSettings: [.define("_GNU_SOURCE")]),
    .target(
      name: "StandaloneJobs",
      dependencies: [
        "KubernetesModel", "KubernetesClient", "OperatorRuntime", "CLocalProcess",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict
    ),
    .target(
      name: "StandaloneFolder",
      dependencies: [
        "KubernetesModel", "KubernetesClient", "OperatorRuntime",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict
    ),

    // MARK: BucketSync: the API types, schedules, extension points and reconcilers
    .target(name: "CronSchedule", dependencies: ["KubernetesModel"], swiftSettings: strict),
    .target(name: "BucketSyncAPI", dependencies: ["KubernetesModel", "CronSchedule"], swiftSettings: strict),
    .target(
      name: "BucketSyncCore",
      dependencies: [
        "KubernetesModel", "KubernetesClient", "OperatorRuntime", "CronSchedule", "BucketSyncAPI",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict
    ),

    // MARK: Built-in plugins
    .target(
      name: "BucketLock",
      dependencies: ["BucketSyncCore", "BucketSyncAPI", "OperatorRuntime", "KubernetesClient", "KubernetesModel"],
      path: "plugins/BucketLock",
      packageAccess: false,
      swiftSettings: strict
    ),
    .target(
      name: "RcloneJob",
      dependencies: ["BucketSyncCore", "BucketSyncAPI", "KubernetesModel"],
      path: "plugins/RcloneJob",
      packageAccess: false,
      swiftSettings: strict
    ),

    .target(
      name: "CLuaSandbox", dependencies: ["CLua"], path: "plugins/LuaHooks/CLuaSandbox",
      cSettings: [.define("_GNU_SOURCE")]),
    .target(
      name: "LuaSandbox", dependencies: ["CLuaSandbox", "KubernetesModel"], path: "plugins/LuaHooks/LuaSandbox",
      swiftSettings: strict),
    .target(
      name: "LuaHooks",
      dependencies: [
        "LuaSandbox", "BucketSyncCore", "BucketSyncAPI", "OperatorRuntime", "KubernetesModel",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "plugins/LuaHooks/Hooks",
      packageAccess: false,
      swiftSettings: strict
    ),

    // MARK: Wiring and the executable
    .target(
      name: "BucketSyncOperator",
      dependencies: [
        "BucketSyncCore", "BucketSyncAPI", "OperatorRuntime", "KubernetesClient", "KubernetesModel",
        "BucketLock", "RcloneJob", "LuaHooks", "LuaSandbox", "StandaloneAPI", "StandaloneJobs", "StandaloneFolder",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      // The standalone mode serves the very definitions that a cluster gets.
      resources: [
        .embedInCode("Standalone/Definitions/bucketsyncpolicies.yaml"),
        .embedInCode("Standalone/Definitions/bucketsyncs.yaml"),
      ],
      swiftSettings: strict
    ),
    .executableTarget(
      name: "homelab-helper",
      dependencies: ["BucketSyncOperator"],
      swiftSettings: strict
    ),

    // MARK: Tests
    .testTarget(name: "KubernetesModelTests", dependencies: ["KubernetesModel"], swiftSettings: strict),
    .testTarget(name: "CronScheduleTests", dependencies: ["CronSchedule", "KubernetesModel"], swiftSettings: strict),
    .testTarget(name: "BucketSyncAPITests", dependencies: ["BucketSyncAPI", "KubernetesModel"], swiftSettings: strict),
    .target(
      name: "TestSupport", dependencies: ["KubernetesModel", "KubernetesClient", "OperatorRuntime"],
      path: "Tests/Support", swiftSettings: strict),
    .testTarget(
      name: "BucketSyncCoreTests",
      dependencies: [
        "BucketSyncCore", "BucketSyncAPI", "BucketLock", "RcloneJob", "CronSchedule", "OperatorRuntime",
        "KubernetesClient", "KubernetesModel", "StandaloneAPI", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "OperatorRuntimeTests",
      dependencies: [
        "OperatorRuntime", "KubernetesClient", "KubernetesModel", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "KubernetesClientTests",
      dependencies: [
        "KubernetesClient", "KubernetesModel",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "BucketLockTests",
      dependencies: [
        "BucketLock", "BucketSyncCore", "BucketSyncAPI", "OperatorRuntime", "KubernetesClient", "KubernetesModel",
        "TestSupport", .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict
    ),
    .target(
      name: "HookCases", dependencies: ["LuaSandbox", "KubernetesModel"], path: "Tests/HookCases",
      swiftSettings: strict),
    .executableTarget(
      name: "hooks-lab", dependencies: ["LuaSandbox", "HookCases", "KubernetesModel"], path: "Tests/HooksLab",
      exclude: ["leaks.supp"], swiftSettings: strict),
    .testTarget(
      name: "LuaHooksTests",
      dependencies: [
        "LuaHooks", "LuaSandbox", "HookCases", "BucketLock", "RcloneJob", "BucketSyncCore", "BucketSyncAPI",
        "OperatorRuntime", "KubernetesClient", "KubernetesModel", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "RcloneJobTests",
      dependencies: ["RcloneJob", "BucketSyncCore", "BucketSyncAPI", "KubernetesModel"],
      exclude: ["Fixtures"],
      swiftSettings: strict
    ),
    .testTarget(
      name: "StandaloneAPITests",
      dependencies: [
        "StandaloneAPI", "OperatorRuntime", "KubernetesClient", "KubernetesModel", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      swiftSettings: strict
    ),
    // Supervisors and operators that tests start, and kill.
    .executableTarget(
      name: "jobs-lab",
      dependencies: [
        "StandaloneJobs", "OperatorRuntime", "KubernetesClient", "KubernetesModel",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/JobsLab", swiftSettings: strict),
    .executableTarget(
      name: "standalone-api-lab",
      dependencies: [
        "StandaloneAPI", "OperatorRuntime", "KubernetesClient", "KubernetesModel",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/APIServerLab", swiftSettings: strict),
    .testTarget(
      name: "StandaloneJobsTests",
      dependencies: [
        "StandaloneJobs", "OperatorRuntime", "KubernetesClient", "KubernetesModel", "TestSupport", "RcloneJob",
        "BucketLock", "BucketSyncCore", "BucketSyncAPI",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "StandaloneFolderTests",
      dependencies: [
        "StandaloneFolder", "OperatorRuntime", "KubernetesClient", "KubernetesModel", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "BucketSyncOperatorTests",
      dependencies: [
        "BucketSyncOperator", "BucketSyncAPI", "KubernetesClient", "KubernetesModel", "TestSupport",
      ],
      swiftSettings: strict
    ),
    // The operator in simulated clusters under every fault: docs/reliability.md.
    .executableTarget(
      name: "simulator",
      dependencies: [
        "BucketSyncOperator", "BucketSyncCore", "BucketSyncAPI", "BucketLock", "RcloneJob", "CronSchedule",
        "OperatorRuntime", "KubernetesClient", "KubernetesModel", "TestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "HeapModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/Simulator", exclude: ["Mutants", "hunt", "mutate"], swiftSettings: strict),
    // On a real cluster: enabled by BUCKET_SYNC_CLUSTER=1, with its kubeconfig in KUBECONFIG.
    .testTarget(
      name: "ClusterTests",
      dependencies: [
        "BucketSyncAPI", "KubernetesClient", "KubernetesModel", "OperatorRuntime", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict
    ),
    // Makes things go wrong between a controller and an API server.
    .target(
      name: "FaultProxy",
      dependencies: [
        "TestSupport",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      path: "Tests/FaultProxy",
      swiftSettings: strict
    ),
    .testTarget(name: "FaultProxyTests", dependencies: ["FaultProxy"], swiftSettings: strict),
    // Likewise; they run the executable `homelab-helper`, which SwiftPM puts beside them.
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "BucketLock", "BucketSyncAPI", "FaultProxy", "KubernetesClient", "KubernetesModel", "TestSupport",
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict
    ),
  ]
)
