"""The store: objects in a folder or in S3, and the formats of what Reflow keeps there. No database."""
