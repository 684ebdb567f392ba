#!/bin/sh
# ./deploy.sh - a bus, two functions that get its orders, and a webhook that puts orders on it.
set -eu
cd "$(dirname "$0")"
. ../hearth.sh

aws_events DescribeEventBus '{"Name": "shop"}' > "$scratch/bus" || aws_events CreateEventBus '{"Name": "shop"}'
for function in stock invoice; do
  hearth PUT "/v1/functions/$function" --upload-file "$function.mjs"
done
hearth PUT /v1/triggers/event/stock --data '{
  "bus": "shop",
  "function": "stock",
  "pattern": {"source": ["orders"], "detail-type": ["OrderPlaced"]}
}'
hearth PUT /v1/triggers/event/invoice --data '{
  "bus": "shop",
  "function": "invoice",
  "pattern": {"source": ["orders"], "detail-type": ["OrderPlaced"], "detail": {"total": [{"numeric": [">", 0]}]}}
}'
# The answer has the URL and, once, the secret for the sender.
hearth PUT /v1/triggers/webhook/orders --data '{
  "bus": "shop",
  "source": "orders",
  "detailType": {"member": "type"},
  "verification": {"scheme": "hmac", "header": "x-signature"}
}'
