"""FlowRun and Resume manifests as typed values: read from a file, checked by the CRDs' own schemas, parsed.

`types`, `parse`, `dump` and `overrides` need the standard library alone: the operator uses them on objects
from the API. `load` and `schema` bring in PyYAML and jsonschema, and only when they are called.
"""
