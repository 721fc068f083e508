// `homelab-helper bucket-sync describe`: all about a policy or a run, for people.

internal import ArgumentParser
internal import KubernetesClient

/// Prints what there is to know about one object.
struct DescribeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe", abstract: "Tell all about a policy or a run: what it does, how it is, what happened.",
    discussion: """
      Values that may be secret are never shown.

      EXAMPLES
        homelab-helper bucket-sync describe policy photos
        homelab-helper bucket-sync describe run photos-1772330400 --standalone ~/buckets
      """)

  @Argument(help: ArgumentHelp("policy or run; or KIND/NAME.", valueName: "kind")) var kind: String
  @Argument(help: ArgumentHelp("Its name.", valueName: "name")) var name: String?
  @OptionGroup(title: "Where") var options: ConnectionOptions

  func run() async throws {
    let text = name.map { "\(kind)/\($0)" } ?? kind
    guard text.contains("/") else {
      throw ValidationError("the name is missing: describe policy NAME, or describe run NAME")
    }
    let site = try options.connect()
    let target = try site.split(text, default: .runs, among: [.policies, .runs])
    let lines =
      target.kind == .policies
      ? try await site.description(ofPolicy: target.name) : try await site.description(ofRun: target.name)
    for line in lines { print(line) }
  }
}
