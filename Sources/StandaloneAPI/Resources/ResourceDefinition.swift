// What the embedded API server knows of a resource type: how it is named, what its objects look like, how they are shown.

package import KubernetesModel

/// A resource type as it is served.
package struct ResourceDefinition: Sendable, Hashable {
  package var type: ResourceType
  package var singular: String
  /// Short names that kubectl understands, `bs`.
  package var shortNames: [String]
  /// Groups of types that can be asked for together, `all`.
  package var categories: [String]
  /// Whether `status` can be written by its own subresource only.
  package var hasStatus: Bool
  /// The structural schema (`openAPIV3Schema`) that objects are pruned, defaulted and validated by; `nil` for types whose
  /// objects are kept as they come.
  package var schema: JSONValue?
  /// What `kubectl get` shows after the name.
  package var columns: [PrinterColumn]
  /// Fields besides name and namespace that field selectors may ask for.
  package var selectableFields: Set<String>
  /// Whether it is a custom resource: unknown fields are pruned, `generation` counts changes.
  package var isCustom: Bool
  /// Another version of the same objects that these are stored as; `nil` for all but Events.
  package var storedAs: EventForm?
  /// Whether clients can only read it.
  package var isReadOnly: Bool
  /// What it was read from, if it is a custom resource.
  package var manifest: JSONValue?

  /// `apiextensions/v1 CustomResourceColumnDefinition`.
  package struct PrinterColumn: Sendable, Hashable {
    package var name: String
    /// `string`, `integer`, `date` …
    package var type: String
    /// Where the value is, `.status.phase`.
    package var jsonPath: String
    package var description: String
    /// Columns of a priority above 0 are shown by `-o wide` only.
    package var priority: Int

    package init(_ name: String, _ type: String, _ jsonPath: String, description: String = "", priority: Int = 0) {
      self.name = name
      self.type = type
      self.jsonPath = jsonPath
      self.description = description
      self.priority = priority
    }
  }

  package init(
    _ type: ResourceType, singular: String? = nil, shortNames: [String] = [], categories: [String] = [],
    hasStatus: Bool = false, schema: JSONValue? = nil, columns: [PrinterColumn] = [],
    selectableFields: Set<String> = [], isCustom: Bool = false, storedAs: EventForm? = nil,
    isReadOnly: Bool = false
  ) {
    self.type = type
    self.singular = singular ?? type.kind.lowercased()
    self.shortNames = shortNames
    self.categories = categories
    self.hasStatus = hasStatus
    self.schema = schema
    self.columns = columns
    self.selectableFields = selectableFields
    self.isCustom = isCustom
    self.storedAs = storedAs
    self.isReadOnly = isReadOnly
  }
}

extension ResourceDefinition {
  /// What the objects are stored under: `jobs.batch`, `configmaps`.
  package var storageName: String {
    storedAs == nil && !type.group.isEmpty ? "\(type.plural).\(type.group)" : type.plural
  }
}
