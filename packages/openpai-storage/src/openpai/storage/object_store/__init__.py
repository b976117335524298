"""Files over an object store: S3, Azure Blob."""
