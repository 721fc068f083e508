# Where the tools of the chart's tests are kept; CACHE is the testbed's.
# shellcheck shell=bash disable=SC2034
HELM_SDK_VERSION=0.2.2
PYYAML_VERSION=6.0.3
HELM_ENVIRONMENT="$CACHE/helm-$HELM_SDK_VERSION"
PROMTOOL="$CACHE/promtool"
