// ManifestFolder: manifests in a folder, kept applied. Start reading here.
