#!/bin/sh
# ./deploy.sh - a function with a JSON API, and the page that uses it, on one host.
set -eu
cd "$(dirname "$0")"
. ../hearth.sh

hearth PUT /v1/functions/web-application --upload-file "$(archive function)"
# The first answer has the URL.
hearth PUT /v1/triggers/http/web-application --data '{
  "routes": {"GET /api/hello/{name}": "web-application", "POST /api/count": "web-application"}
}'
hearth PUT /v1/triggers/http/web-application/static --upload-file "$(archive public)"
