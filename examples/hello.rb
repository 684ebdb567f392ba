# curl -T hello.rb -H "Authorization: Bearer $HEARTH_TOKEN" localhost:8080/v1/functions/
require 'json'

def lambda_handler(event:, context:)
  name = JSON.parse(event['body'])['name']
  { statusCode: 200, body: "Hello, #{name}! This is #{context.function_name}." }
end
