{{/* What is wrong although every value by itself is right. Rendering ends with the sentence. */}}
{{- define "pogo-gateway.validate" -}}
{{- $v := .Values }}
{{- if regexMatch "^[0-9]" (include "pogo-gateway.fullname" .) }}
{{- fail (printf "a Service cannot be called %s: its name begins with a letter. Set fullnameOverride, or call the release something else." (include "pogo-gateway.fullname" .)) }}
{{- end }}
{{- $places := include "pogo-gateway.redisPlaces" . }}
{{- if not $places }}
{{- if $v.autoscaling.enabled }}
{{- fail "autoscaling.enabled needs Redis: nodes without one know nothing of each other's clients. Set redis.url, redis.host, redis.clusterNodes or redis.sentinels; for a trial redis.trial.enabled." }}
{{- end }}
{{- if gt (int $v.replicaCount) 1 }}
{{- fail (printf "replicaCount %d needs Redis: nodes without one know nothing of each other's clients. Set redis.url, redis.host, redis.clusterNodes or redis.sentinels; for a trial redis.trial.enabled." (int $v.replicaCount)) }}
{{- end }}
{{- range $key := list "username" "password" "db" "tls" "prefix" "sentinelName" "sentinelPassword" }}
{{- if get $v.redis $key }}
{{- fail (printf "redis.%s is set, but nothing says where Redis is: set redis.url, redis.host, redis.clusterNodes or redis.sentinels." $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- if contains "," $places }}
{{- fail (printf "%s: each says where Redis is. Set one." $places) }}
{{- end }}
{{- if and $v.redis.trial.enabled (or $v.redis.username $v.redis.password $v.redis.tls) }}
{{- fail "redis.trial.enabled: the Redis for a trial has no user, no password and no TLS. Leave redis.username, redis.password and redis.tls empty." }}
{{- end }}
{{- if and (or $v.redis.sentinelName $v.redis.sentinelPassword) (not $v.redis.sentinels) (not $v.redis.configuredElsewhere) }}
{{- fail "redis.sentinelName and redis.sentinelPassword need redis.sentinels." }}
{{- end }}
{{- if and $v.redis.clusterNodes $v.redis.db }}
{{- fail "redis.db must be 0 with redis.clusterNodes: a Redis Cluster has no other database." }}
{{- end }}
{{- if and $v.redis.url (not (kindIs "invalid" $v.redis.tls)) }}
{{- fail "redis.tls goes without redis.url: a URL says it by rediss://." }}
{{- end }}
{{- if $v.existingSecret }}
{{- with include "pogo-gateway.secretData" . }}
{{- fail (printf "existingSecret is set, and so are values for %s: put them into that Secret, or do without it." (join ", " (keys (fromYaml .) | sortAlpha))) }}
{{- end }}
{{- if $v.app.key }}
{{- fail "existingSecret is set, and so is app.key: put it into that Secret as POGO_WS_APP_KEY." }}
{{- end }}
{{- if ne $v.app.id "1" }}
{{- fail "existingSecret is set, and so is app.id: put it into that Secret as POGO_WS_APP_ID." }}
{{- end }}
{{- else }}
{{- if ne (empty $v.app.key) (empty $v.app.secret) }}
{{- fail "app.key and app.secret go together: one is set, the other is not." }}
{{- end }}
{{- if and (empty $v.app.secret) (empty $v.config.apps) (empty $v.config.existingSecret) (empty $v.extraEnv) (empty $v.extraEnvFrom) }}
{{- fail "no app is configured: set app.key and app.secret, or existingSecret, or config.apps." }}
{{- end }}
{{- end }}
{{- if and $v.config.existingSecret (include "pogo-gateway.configFile" .) }}
{{- fail "config.existingSecret holds the whole file: leave config.settings and config.apps empty." }}
{{- end }}
{{- if and $v.tls.enabled (not $v.tls.secretName) }}
{{- fail "tls.enabled needs tls.secretName, a Secret of type kubernetes.io/tls." }}
{{- end }}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) }}
{{- fail "ingress.enabled needs at least one entry in ingress.hosts." }}
{{- end }}
{{- if and $v.metrics.serviceMonitor.enabled (not $v.metrics.enabled) }}
{{- fail "metrics.serviceMonitor.enabled needs metrics.enabled." }}
{{- end }}
{{- if and $v.metrics.enabled (eq (int $v.metrics.port) (int $v.containerPort)) }}
{{- fail "metrics.port and containerPort must differ: what clients reach has no metrics." }}
{{- end }}
{{- with $v.podDisruptionBudget }}
{{- if and .enabled (kindIs "invalid" .maxUnavailable) (kindIs "invalid" .minAvailable) }}
{{- fail "podDisruptionBudget.enabled needs maxUnavailable or minAvailable." }}
{{- end }}
{{- end }}
{{- if $v.autoscaling.enabled }}
{{- if gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas) }}
{{- fail "autoscaling.minReplicas is above autoscaling.maxReplicas." }}
{{- end }}
{{- if not (or $v.autoscaling.targetCPUUtilizationPercentage $v.autoscaling.targetMemoryUtilizationPercentage $v.autoscaling.metrics) }}
{{- fail "autoscaling.enabled needs a metric: targetCPUUtilizationPercentage, targetMemoryUtilizationPercentage or metrics." }}
{{- end }}
{{- end }}
{{- end }}
