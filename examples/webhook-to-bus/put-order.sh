#!/bin/sh
# ./put-order.sh JSON - an order on the bus, as the webhook would put it.
set -eu
cd "$(dirname "$0")"
. ../hearth.sh

detail=$(printf %s "$1" | sed 's/[\\"]/\\&/g')
aws_events PutEvents '{"Entries": [{
  "EventBusName": "shop", "Source": "orders", "DetailType": "OrderPlaced", "Detail": "'"$detail"'"
}]}'
