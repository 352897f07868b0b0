{{- define "pogo-gateway.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* 50 characters leave room for what other names add to it. Releases may have dots in their names, Services may not. */}}
{{- define "pogo-gateway.fullname" -}}
{{- $name := printf "%s-%s" .Release.Name (include "pogo-gateway.name" .) }}
{{- if .Values.fullnameOverride }}
{{- $name = .Values.fullnameOverride }}
{{- else if contains (include "pogo-gateway.name" .) .Release.Name }}
{{- $name = .Release.Name }}
{{- end }}
{{- $name | replace "." "-" | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* In quotes, as whatever somebody names: a namespace may be called `no` or `1234`, which YAML takes for no text. */}}
{{- define "pogo-gateway.selectorLabels" -}}
app.kubernetes.io/name: {{ include "pogo-gateway.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/component: gateway
{{- end }}

{{- define "pogo-gateway.redisSelectorLabels" -}}
app.kubernetes.io/name: {{ include "pogo-gateway.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/component: redis
{{- end }}

{{/* Those of every object; what it is for (component) comes with the selector's labels, or is said there. */}}
{{- define "pogo-gateway.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "pogo-gateway.labels" -}}
{{ include "pogo-gateway.selectorLabels" . }}
{{ include "pogo-gateway.commonLabels" . }}
{{- end }}

{{- define "pogo-gateway.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "pogo-gateway.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "pogo-gateway.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Of the container and of the Service. Service meshes go by it. */}}
{{- define "pogo-gateway.portName" -}}
{{- ternary "https" "http" .Values.tls.enabled }}
{{- end }}

{{/* A path without a slash at its end; "" is the root. */}}
{{- define "pogo-gateway.pathPrefix" -}}
{{- $path := trimAll "/" (default "" .Values.pathPrefix) }}
{{- if $path }}{{ printf "/%s" $path }}{{ end }}
{{- end }}

{{- define "pogo-gateway.trialRedis" -}}
{{- printf "%s-redis" (include "pogo-gateway.fullname" .) }}
{{- end }}

{{/* Where Redis is said to be, comma-separated; "" when nowhere. */}}
{{- define "pogo-gateway.redisPlaces" -}}
{{- $places := list }}
{{- with .Values.redis }}
{{- if .url }}{{ $places = append $places "redis.url" }}{{ end }}
{{- if .host }}{{ $places = append $places "redis.host" }}{{ end }}
{{- if .clusterNodes }}{{ $places = append $places "redis.clusterNodes" }}{{ end }}
{{- if .sentinels }}{{ $places = append $places "redis.sentinels" }}{{ end }}
{{- if .trial.enabled }}{{ $places = append $places "redis.trial.enabled" }}{{ end }}
{{- if .configuredElsewhere }}{{ $places = append $places "redis.configuredElsewhere" }}{{ end }}
{{- end }}
{{- join ", " $places }}
{{- end }}

{{/* The variables of the Secret, as YAML; "" when there are none. */}}
{{- define "pogo-gateway.secretData" -}}
{{- $data := dict }}
{{- with .Values.app }}
{{- if .secret }}
{{- $data = merge $data (dict "POGO_WS_APP_ID" .id "POGO_WS_APP_KEY" .key "POGO_WS_APP_SECRET" .secret) }}
{{- end }}
{{- end }}
{{- with .Values.redis }}
{{- if .url }}{{ $_ := set $data "POGO_WS_REDIS_URL" .url }}{{ end }}
{{- if .password }}{{ $_ := set $data "POGO_WS_REDIS_PASSWORD" .password }}{{ end }}
{{- if .sentinelPassword }}{{ $_ := set $data "POGO_WS_REDIS_SENTINEL_PASSWORD" .sentinelPassword }}{{ end }}
{{- end }}
{{- if .Values.commandSecret }}{{ $_ := set $data "POGO_WS_COMMAND_SECRET" .Values.commandSecret }}{{ end }}
{{- if .Values.webhookSecret }}{{ $_ := set $data "POGO_WS_WEBHOOK_SECRET" .Values.webhookSecret }}{{ end }}
{{- if $data }}{{ toYaml $data }}{{ end }}
{{- end }}

{{/* The configuration file; "" when there is nothing to say in it. */}}
{{- define "pogo-gateway.configFile" -}}
{{- $file := dict }}
{{- with .Values.config.settings }}{{ $file = deepCopy . }}{{ end }}
{{- with .Values.config.apps }}{{ $_ := set $file "apps" . }}{{ end }}
{{- if $file }}{{ toYaml $file }}{{ end }}
{{- end }}

{{- define "pogo-gateway.configFileKey" -}}
{{- if .Values.config.existingSecret }}{{ .Values.config.existingSecretKey }}{{ else }}pogo.yaml{{ end }}
{{- end }}

{{- define "pogo-gateway.hasConfigFile" -}}
{{- if or .Values.config.existingSecret (include "pogo-gateway.configFile" .) }}true{{ end }}
{{- end }}
