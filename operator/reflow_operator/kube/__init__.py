"""The Kubernetes API as the operator needs it: six verbs, a watch, and an informer for Pods. Knows nothing
of flows.
"""
