{{/* Names and labels that several templates share. */}}

{{- define "bucket-sync.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "bucket-sync.fullname" -}}
{{- $name := include "bucket-sync.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "bucket-sync.serviceAccountName" -}}
{{- default (ternary (include "bucket-sync.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{/* Where locks and the lease are. */}}
{{- define "bucket-sync.lockNamespace" -}}
{{- default .Release.Namespace .Values.namespace -}}
{{- end -}}

{{/* The ConfigMap with scripts; empty if there are none. */}}
{{- define "bucket-sync.hooksConfigMap" -}}
{{- if .Values.existingHooksConfigMap -}}
{{- .Values.existingHooksConfigMap -}}
{{- else if .Values.hooks -}}
{{- printf "%s-hooks" (include "bucket-sync.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "bucket-sync.image" -}}
{{- $image := .Values.deployment.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* What Services, budgets and spreads select pods by; never changes over upgrades. The pods of syncs do not match. */}}
{{- define "bucket-sync.selectorLabels" -}}
app.kubernetes.io/name: {{ include "bucket-sync.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: controller
{{- end -}}

{{/* bucket-sync.metadata (list $ LABELS ANNOTATIONS): labels and annotations of an object, with those of its own. */}}
{{- define "bucket-sync.metadata" -}}
{{- $root := index . 0 -}}
{{- $standard := include "bucket-sync.selectorLabels" $root | fromYaml -}}
{{- $_ := set $standard "app.kubernetes.io/version" ($root.Chart.AppVersion | trunc 63) -}}
{{- $_ := set $standard "app.kubernetes.io/part-of" "bucket-sync" -}}
{{- $_ := set $standard "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- $_ := set $standard "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
labels:
  {{- mergeOverwrite (dict) (deepCopy $root.Values.commonLabels) (deepCopy (index . 1)) $standard | toYaml | nindent 2 }}
{{- with mergeOverwrite (dict) (deepCopy $root.Values.commonAnnotations) (deepCopy (index . 2)) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The metadata of an object called like the release, in its namespace. */}}
{{- define "bucket-sync.ownMetadata" -}}
name: {{ include "bucket-sync.fullname" . }}
namespace: {{ .Release.Namespace }}
{{ include "bucket-sync.metadata" (list . (dict) (dict)) }}
{{- end -}}

{{/* A duration as Prometheus writes it (1h30m), in seconds. */}}
{{- define "bucket-sync.seconds" -}}
{{- $unit := dict "s" 1 "m" 60 "h" 3600 "d" 86400 "w" 604800 -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+[smhdw]" . -1 -}}
{{- $sum = add $sum (mul (atoi (regexFind "[0-9]+" .)) (get $unit (regexFind "[smhdw]" .))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{/* Refuses values that the schema cannot. */}}
{{- define "bucket-sync.check" -}}
{{- if and (gt (int .Values.deployment.replicas) 1) (not .Values.controller.leaderElection) -}}
{{- fail (printf "deployment.replicas is %d, but controller.leaderElection is off: the controllers would all act at once. Leave it on, or have one replica." (int .Values.deployment.replicas)) -}}
{{- end -}}
{{- if and .Values.hooks .Values.existingHooksConfigMap -}}
{{- fail "hooks and existingHooksConfigMap are both set: scripts come from one of them. Put yours into that ConfigMap, or leave it out." -}}
{{- end -}}
{{- range $file, $_ := .Values.hooks -}}
{{- if not (regexMatch "^[-_A-Za-z0-9][-._A-Za-z0-9]*\\.lua$" $file) -}}
{{- fail (printf "hooks has a script called %q: the controller uses files that end in .lua only, and a ConfigMap takes letters, digits, -, _ and . only. Call it %s, for example." $file (printf "%s.lua" (regexReplaceAll "[^-_A-Za-z0-9]+" (trimSuffix ".lua" $file) "-" | trimAll "-" | default "script"))) -}}
{{- end -}}
{{- end -}}
{{- if gt (len (toJson .Values.hooks)) 1000000 -}}
{{- fail "hooks: the scripts are larger than a ConfigMap may be (1 MiB): shorten them." -}}
{{- end -}}
{{- $own := dict "NAMESPACE" "namespace" "WATCH_NAMESPACES" "watchNamespaces" "LEADER_ELECTION" "controller.leaderElection" "HOOKS_DIR" "hooks or existingHooksConfigMap" -}}
{{- $fixed := list "LEADER_ELECTION_ID" "HEALTH_ADDRESS" "METRICS_ADDRESS" "POD_NAME" -}}
{{- range .Values.deployment.extraEnv -}}
{{- if hasKey $own .name -}}
{{- fail (printf "deployment.extraEnv sets %s, on which other parts of the chart depend: set the value %s instead." .name (get $own .name)) -}}
{{- else if has .name $fixed -}}
{{- fail (printf "deployment.extraEnv sets %s, which the chart sets itself, since probes and monitoring depend on it: leave it out." .name) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.prometheusRule.enabled (not .Values.serviceMonitor.enabled) -}}
{{- fail "prometheusRule.enabled needs serviceMonitor.enabled: without it Prometheus has no metrics to judge by." -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not .Values.service.enabled) -}}
{{- fail "serviceMonitor.enabled needs service.enabled: that Service is what is scraped." -}}
{{- end -}}
{{- end -}}
