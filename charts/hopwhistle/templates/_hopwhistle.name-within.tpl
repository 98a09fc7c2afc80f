{{- define "hopwhistle.name-within" -}}
{{- $name := index . 0 -}}
{{- $most := index . 1 | int -}}
{{- if and (le (len $name) $most) (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- $name -}}
{{- else -}}
{{- $label := regexReplaceAll "^([0-9])" (replace "." "-" $name) "r${1}" -}}
{{- printf "%s-%s" (trunc (int (sub $most 9)) $label) (sha256sum $name | trunc 8) -}}
{{- end -}}
{{- end }}
