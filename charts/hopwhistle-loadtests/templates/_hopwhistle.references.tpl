{{- define "hopwhistle.references" -}}
{{- $all := list -}}
{{- range . }}{{ $all = append $all (kindIs "string" . | ternary (dict "name" .) .) }}{{ end -}}
{{- toJson $all -}}
{{- end }}
