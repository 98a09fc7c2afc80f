{{- define "hopwhistle.thousandths" -}}
{{- $units := dict "" 1000 "m" 1 "k" 1000000 "M" 1000000000 "G" 1000000000000 "T" 1000000000000000 "Ki" 1024000 "Mi" 1048576000 "Gi" 1073741824000 "Ti" 1099511627776000 -}}
{{- $quantity := toString . -}}
{{- mulf (regexFind "^[0-9.]+" $quantity | float64) (index $units (regexFind "[A-Za-z]*$" $quantity)) | int64 -}}
{{- end }}
