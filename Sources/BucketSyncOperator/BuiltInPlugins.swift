// The plugins that make the operator what it is out of the box.

internal import ArgumentParser
internal import BucketLock
public import BucketSyncCore
internal import RcloneJob

/// BucketLock, RcloneJob and LuaHooks.
public struct BuiltInPlugins: PluginSet {
  /// The image used unless another is asked for.
  static let defaultImage = "docker.io/rclone/rclone:1.75.2"

  @Option(
    help: ArgumentHelp(
      "Image of the rclone container. (env: RCLONE_IMAGE; default: \(Self.defaultImage))", valueName: "image"))
  var rcloneImage: String?

  @Option(
    help: ArgumentHelp(
      "Pull policy of that image: Always, IfNotPresent or Never. (env: RCLONE_IMAGE_PULL_POLICY; default: Kubernetes')",
      valueName: "policy"))
  var rcloneImagePullPolicy: String?

  @OptionGroup var hooks: HookOptions

  /// Options as parsed.
  public init() {}

  /// The built-in plugins.
  public func plugins(_ settings: SettingSource) throws -> [any Plugin] {
    let policy = settings.value(rcloneImagePullPolicy, "RCLONE_IMAGE_PULL_POLICY")
    if let policy, !["Always", "IfNotPresent", "Never"].contains(policy) {
      throw ValidationError(
        "--rclone-image-pull-policy \"\(policy)\" is unknown: use Always, IfNotPresent or Never")
    }
    let image = settings.value(rcloneImage, "RCLONE_IMAGE") ?? Self.defaultImage
    return [BucketLock(), RcloneJob(image: image, imagePullPolicy: policy), try hooks.plugin(settings)]
  }
}
