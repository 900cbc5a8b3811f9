#!/bin/sh
# The namespace, where it is not there yet. Closed runs are kept for 30 days; results stay in the store whatever happens here.
set -eu
until temporal operator cluster health; do sleep 2; done
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 30d
