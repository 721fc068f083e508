// `homelab-helper bucket-sync get`: list policies, runs, Jobs, pods and locks.

internal import ArgumentParser
internal import FoundationEssentials
internal import KubernetesClient
internal import OperatorRuntime

/// Prints objects.
struct GetCommand: AsyncParsableCommand {
  enum Output: String, ExpressibleByArgument, CaseIterable { case wide, json, yaml, name }

  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "List policies, runs, Jobs, pods and locks.",
    discussion: """
      Without a kind it lists policies and runs. Kinds can be listed with commas in between.

      EXAMPLES
        homelab-helper bucket-sync get
        homelab-helper bucket-sync get runs --all-namespaces --output wide
        homelab-helper bucket-sync get runs --selector bucket-sync.homelab-helper.benfiola.com/policy=photos --watch
        homelab-helper bucket-sync get policy photos --output yaml --standalone ~/buckets
      """)

  @Argument(help: ArgumentHelp("What to list: policies, runs, jobs, pods or locks; or KIND/NAME.", valueName: "kind"))
  var kind: String?

  @Argument(help: ArgumentHelp("Only the objects of these names.", valueName: "name"))
  var names: [String] = []

  @Option(name: [.short, .long], help: "wide, json, yaml or name. (default: a table)")
  var output: Output?

  @Option(
    name: [.customShort("l"), .long],
    help: ArgumentHelp("Only objects whose labels fit, as a=b,c!=d.", valueName: "labels"))
  var selector: String?

  @Flag(name: [.customShort("A"), .long], help: "In all namespaces.") var allNamespaces = false
  @Flag(name: [.short, .long], help: "Go on, and print every change.") var watch = false
  @OptionGroup(title: "Where") var options: ConnectionOptions

  func run() async throws {
    let site = try options.connect()
    var names = names
    var kinds: [ObjectKind] = [.policies, .runs]
    if let kind {
      if kind.contains("/") {
        let parts = try site.split(kind, default: .runs, among: ObjectKind.allCases)
        kinds = [parts.kind]
        names.insert(parts.name, at: 0)
      } else {
        kinds = try kind.split(separator: ",").map { try ObjectKind.of(String($0)) }
      }
    }
    guard names.isEmpty || !allNamespaces else {
      throw ValidationError("a name is one of a namespace: leave out --all-namespaces")
    }
    let output = Terminal.output([:])
    let get = GetObjects(
      site: site, output: self.output.flatMap { GetObjects.Output(rawValue: $0.rawValue) } ?? .table, labels: selector,
      isEverywhere: allNamespaces, print: { output.write($0 + "\n") }, warn: { StandardError.write($0 + "\n") })
    guard watch else { return try await get.show(kinds, names: names) }
    guard let only = kinds.first, kinds.count == 1, names.count <= 1, only != .locks else {
      throw ValidationError(
        "--watch takes one kind, and one name at most; locks cannot be watched, the runs that wait can")
    }
    guard self.output == nil || self.output == .wide else { throw ValidationError("--watch prints tables only") }
    try await get.watch(only, name: names.first)
  }
}
