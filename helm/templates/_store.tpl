{{- /*
The store's keys as a JSON object {accessKey, secretKey, found}. An existing Secret can be read only where Helm talks to
a cluster; whether it does is told by the ServiceAccount that every namespace has.
*/ -}}
{{- define "reflow.storeKeys" -}}
{{- $s3 := .Values.s3 -}}
{{- $keys := dict "found" true "accessKey" $s3.accessKey "secretKey" $s3.secretKey -}}
{{- if ne (empty $s3.accessKey) (empty $s3.secretKey) -}}
{{- fail "s3.accessKey and s3.secretKey go together; only one of them is set." -}}
{{- end -}}
{{- if $s3.existingSecret -}}
{{- if $s3.accessKey -}}
{{- fail "s3.existingSecret and s3.accessKey exclude each other; set one of them." -}}
{{- end -}}
{{- $secret := lookup "v1" "Secret" .Release.Namespace $s3.existingSecret -}}
{{- if $secret -}}
{{- range $ours, $theirs := $s3.existingSecretKeys -}}
{{- if not (hasKey (default dict $secret.data) $theirs) -}}
{{- fail (printf "The Secret %s of namespace %s, which s3.existingSecret names, has no %s; s3.existingSecretKeys says which of its keys is which." $s3.existingSecret $.Release.Namespace $theirs) -}}
{{- end -}}
{{- $_ := set $keys $ours (index $secret.data $theirs | b64dec) -}}
{{- end -}}
{{- else if lookup "v1" "ServiceAccount" .Release.Namespace "default" -}}
{{- fail (printf "There is no Secret %s in namespace %s, which s3.existingSecret names. Create it first." $s3.existingSecret .Release.Namespace) -}}
{{- else -}}
{{- $_ := set $keys "found" false -}}
{{- end -}}
{{- end -}}
{{- toJson $keys -}}
{{- end -}}
