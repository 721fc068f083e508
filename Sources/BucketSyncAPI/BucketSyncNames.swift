// Every name that bucket-sync puts on objects: labels, annotations, the finalizer. All live under the API group, so
// that nothing of others can be meant.

/// Group, labels, annotations and finalizer of bucket-sync.
public enum BucketSyncNames {
  /// The API group, and the domain of all keys below.
  public static let group = "bucket-sync.homelab-helper.benfiola.com"
  /// The only version of the API.
  public static let version = "v1"

  /// Keys of annotations.
  public enum Annotation {
    /// On a policy, put there by a person: make a run now. Any value; taken off when that run has finished.
    public static let syncNow = "\(group)/sync-now"
    /// On a policy: the name of the run that the present ``syncNow`` asked for.
    public static let syncNowRun = "\(group)/sync-now-run"
    /// On a scheduled run: the tick it was made for, RFC 3339.
    public static let scheduledAt = "\(group)/scheduled-at"
  }

  /// Keys of labels.
  public enum Label {
    /// On a run and its Job: the name of the policy; left out when it is too long for a label value.
    public static let policy = "\(group)/policy"
    /// On a run: what made it, a ``Trigger``.
    public static let trigger = "\(group)/trigger"
    /// On a Job: the UID of its run, by which our Jobs are known.
    public static let runUID = "\(group)/run-uid"
    /// On a Job: the name of its run; left out when it is too long for a label value.
    public static let run = "\(group)/run"
    /// On everything the controller creates, with the value ``BucketSyncNames/controller``.
    public static let managedBy = "app.kubernetes.io/managed-by"
  }

  /// Values of ``Label/trigger``.
  public enum Trigger: String, Sendable, Hashable {
    /// A tick of the policy's schedule.
    case scheduled
    /// The annotation ``Annotation/syncNow``.
    case manual
  }

  /// The value of ``Label/managedBy``.
  public static let controller = "bucket-sync"
  /// On a run: its locks must be released before the object may go.
  public static let finalizer = "\(group)/release"
}
