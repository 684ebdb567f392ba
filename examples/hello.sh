#!/bin/bash
# A custom runtime in nine lines. curl -T hello.sh -H "Authorization: Bearer $HEARTH_TOKEN" localhost:8080/v1/functions/
set -eu
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  event=$(curl -sS -D /tmp/headers "$api/next")
  id=$(sed -n 's/^lambda-runtime-aws-request-id: \([^[:space:]]*\).*/\1/Ip' /tmp/headers)
  curl -sS -o /dev/null "$api/$id/response" -d "{\"statusCode\": 200, \"body\": \"${#event} bytes of event\"}"
done
