"""The project's own real Kubernetes for its tests: see README.md beside this file."""
