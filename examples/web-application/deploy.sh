#!/bin/sh
# ./deploy.sh - a function with a JSON API, and the page that uses it, on one host.
set -eu
cd "$(dirname "$0")"
. ../hearth.sh

hearth PUT /v1/functions/web-application --upload-file "$(archive function)"
[ "${1:-}" = --function-only ] || . ./publish.sh
