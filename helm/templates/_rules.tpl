{{- /* What the operator may do in a namespace that it sees to. Nothing more: no Secret but the one. */ -}}
{{- define "reflow.rules" -}}
- apiGroups: [reflow.dev]
  resources: [flowruns]
  # create: a Resume makes a FlowRun; patch: its finalizer; delete: its TTL.
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [reflow.dev]
  resources: [resumes]
  verbs: [get, list, watch, patch, delete]
- apiGroups: [reflow.dev]
  resources: [flowruns/status, resumes/status]
  verbs: [get, patch]
- apiGroups: [reflow.dev]
  # To be named as an owner that blocks deletion.
  resources: [flowruns/finalizers, resumes/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, delete, deletecollection]
- apiGroups: [""]
  # The tail of a log that its Pod couldn't store itself.
  resources: [pods/log]
  verbs: [get]
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [reflow-store]
  verbs: [get]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
