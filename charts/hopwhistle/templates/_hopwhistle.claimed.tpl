{{- define "hopwhistle.claimed" -}}
{{- $set := lookup "apps/v1" "StatefulSet" (index . 0) (index . 1) -}}
{{- range dig "spec" "volumeClaimTemplates" list $set }}{{ .spec.resources.requests.storage }}{{ end -}}
{{- end }}
