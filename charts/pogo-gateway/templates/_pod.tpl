{{/* extraEnv in the place of what the chart says: the API server drops one of two with the same name, or refuses both. */}}
{{- define "pogo-gateway.env" -}}
{{- $more := default list .Values.extraEnv }}
{{- $names := list }}
{{- range $more }}{{ $names = append $names .name }}{{ end }}
{{- $env := list }}
{{- range fromYamlArray (include "pogo-gateway.ownEnv" .) }}
{{- if not (has .name $names) }}{{ $env = append $env . }}{{ end }}
{{- end }}
{{- toYaml (concat $env $more) }}
{{- end }}

{{/* What the chart says to the gateway; secrets come from the Secret. Over the file, and over the Secret. */}}
{{- define "pogo-gateway.ownEnv" -}}
{{- $v := .Values -}}
- name: NODE_ENV
  value: production
- name: POGO_WS_HOST
  value: {{ $v.host | quote }}
- name: POGO_WS_PORT
  value: {{ int $v.containerPort | quote }}
{{- with include "pogo-gateway.pathPrefix" . }}
- name: POGO_WS_PATH_PREFIX
  value: {{ . | quote }}
{{- end }}
{{- with $v.trustedProxies }}
- name: POGO_WS_TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
- name: POGO_WS_SHUTDOWN_TIMEOUT
  value: {{ printf "%ds" (int $v.shutdown.timeoutSeconds) | quote }}
{{- if $v.metrics.enabled }}
- name: POGO_WS_METRICS_HOST
  value: {{ $v.host | quote }}
- name: POGO_WS_METRICS_PORT
  value: {{ int $v.metrics.port | quote }}
{{- if $v.metrics.hotPath }}
- name: POGO_WS_HOT_PATH_METRICS
  value: 'true'
{{- end }}
{{- else }}
- name: POGO_WS_METRICS_PORT
  value: 'off'
{{- end }}
{{- if $v.tls.enabled }}
- name: POGO_WS_TLS_CERT
  value: /etc/pogo/tls/tls.crt
- name: POGO_WS_TLS_KEY
  value: /etc/pogo/tls/tls.key
{{- end }}
{{- if include "pogo-gateway.hasConfigFile" . }}
- name: POGO_WS_CONFIG
  value: /etc/pogo/config/{{ include "pogo-gateway.configFileKey" . }}
{{- end }}
{{- include "pogo-gateway.redisEnv" . }}
{{- end }}

{{- define "pogo-gateway.redisEnv" -}}
{{- with .Values.redis }}
{{- if .trial.enabled }}
- name: POGO_WS_REDIS_HOST
  value: {{ printf "%s:6379" (include "pogo-gateway.trialRedis" $) | quote }}
{{- end }}
{{- if .host }}
- name: POGO_WS_REDIS_HOST
  value: {{ .host | quote }}
{{- end }}
{{- if .clusterNodes }}
- name: POGO_WS_REDIS_CLUSTER_NODES
  value: {{ join "," .clusterNodes | quote }}
{{- end }}
{{- if .sentinels }}
- name: POGO_WS_REDIS_SENTINELS
  value: {{ join "," .sentinels | quote }}
{{- end }}
{{- if .sentinelName }}
- name: POGO_WS_REDIS_SENTINEL_NAME
  value: {{ .sentinelName | quote }}
{{- end }}
{{- if .username }}
- name: POGO_WS_REDIS_USERNAME
  value: {{ .username | quote }}
{{- end }}
{{- if .db }}
- name: POGO_WS_REDIS_DB
  value: {{ int .db | quote }}
{{- end }}
{{- if .tls }}
- name: POGO_WS_REDIS_TLS
  value: 'true'
{{- end }}
{{- if .prefix }}
- name: POGO_WS_REDIS_PREFIX
  value: {{ .prefix | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "pogo-gateway.envFrom" -}}
{{- $sources := list }}
{{- if .Values.existingSecret }}
{{- $sources = append $sources (dict "secretRef" (dict "name" .Values.existingSecret)) }}
{{- else if include "pogo-gateway.secretData" . }}
{{- $sources = append $sources (dict "secretRef" (dict "name" (include "pogo-gateway.fullname" .))) }}
{{- end }}
{{- $sources = concat $sources (default list .Values.extraEnvFrom) }}
{{- if $sources }}{{ toYaml $sources }}{{ end }}
{{- end }}

{{/* @param list of the context and one of livenessProbe, readinessProbe, startupProbe */}}
{{- define "pogo-gateway.probe" -}}
{{- $root := index . 0 }}
{{- $probe := index . 1 -}}
httpGet:
  path: {{ $probe.path | quote }}
  port: {{ include "pogo-gateway.portName" $root }}
  {{- if $root.Values.tls.enabled }}
  scheme: HTTPS
  {{- end }}
periodSeconds: {{ int $probe.periodSeconds }}
timeoutSeconds: {{ int $probe.timeoutSeconds }}
failureThreshold: {{ int $probe.failureThreshold }}
{{- end }}

{{/* The endpoint is withdrawn at the same moment as the pod is told to end; who has not heard of it still sends clients. */}}
{{- define "pogo-gateway.lifecycle" -}}
{{- $seconds := int .Values.shutdown.preStopSeconds -}}
preStop:
  {{- if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version }}
  sleep:
    seconds: {{ $seconds }}
  {{- else }}
  exec:
    command: [sleep, {{ $seconds | quote }}]
  {{- end }}
{{- end }}

{{- define "pogo-gateway.topologySpreadConstraints" -}}
{{- $selector := dict "labelSelector" (dict "matchLabels" (fromYaml (include "pogo-gateway.selectorLabels" .))) }}
{{- $constraints := list }}
{{- range .Values.topologySpreadConstraints }}
{{- $constraints = append $constraints (ternary . (merge (deepCopy $selector) .) (hasKey . "labelSelector")) }}
{{- end }}
{{- toYaml $constraints }}
{{- end }}
