# Sourced by deploy.sh. The first answer has the URL.
hearth PUT /v1/triggers/http/web-application --data '{
  "routes": {"GET /api/hello/{name}": "web-application", "POST /api/count": "web-application"}
}'
hearth PUT /v1/triggers/http/web-application/static --upload-file "$(archive public)"
