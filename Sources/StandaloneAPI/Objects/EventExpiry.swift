// Events are news, not history: a cluster forgets them after an hour. Here they stay for a day, so that who looks in the
// morning sees what the night has brought.

import KubernetesModel

extension ObjectVerbs {
  static let eventLifetime: Int64 = 24 * 3600

  /// Removes Events that were last seen too long ago.
  mutating func forgetOldEvents(_ options: WriteOptions) throws(Refusal) {
    let definition = ResourceDefinition.coreEvents
    let oldest = Timestamp(unixSeconds: options.now.unixSeconds - Self.eventLifetime)
    let bodies = try storage { () throws(SQLiteError) in try database.bodies(definition.storageName, namespace: nil) }
    for body in bodies {
      let event = try Self.decoded(body)
      let times = [
        event["series"]["lastObservedTime"], event["lastTimestamp"], event["eventTime"],
        event["metadata"]["creationTimestamp"],
      ]
      guard let last = times.compactMap({ $0.string.flatMap { Timestamp($0) } }).max(), last < oldest else { continue }
      let metadata = event["metadata"]
      let target = RequestTarget(
        definition, namespace: metadata["namespace"].string, name: metadata["name"].string)
      if let address = target.address { _ = try remove(address, event, options) }
    }
  }
}
