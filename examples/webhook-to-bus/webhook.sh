# Sourced by deploy.sh. The answer has the URL and, once, the secret for the sender.
hearth PUT /v1/triggers/webhook/orders --data '{
  "bus": "shop",
  "source": "orders",
  "detailType": {"member": "type"},
  "verification": {"scheme": "hmac", "header": "x-signature"}
}'
