# An HTTP API: who has a token may ask for pets, and each change is served at once.
resource "aws_apigatewayv2_api" "pets" {
  name          = "pets-terraform"
  protocol_type = "HTTP"
  description   = "Pets"

  cors_configuration {
    allow_origins = ["https://example.com"]
    allow_methods = ["GET", "POST"]
    allow_headers = ["content-type"]
    max_age       = 60
  }

  tags = {
    team = "a"
  }
}

resource "aws_apigatewayv2_integration" "pets" {
  api_id                 = aws_apigatewayv2_api.pets.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.hello.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_authorizer" "users" {
  api_id           = aws_apigatewayv2_api.pets.id
  name             = "users"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = "https://issuer.example.com"
    audience = ["pets"]
  }
}

resource "aws_apigatewayv2_authorizer" "asker" {
  api_id                            = aws_apigatewayv2_api.pets.id
  name                              = "asker"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = aws_lambda_function.hello.invoke_arn
  authorizer_payload_format_version = "2.0"
  enable_simple_responses           = true
  identity_sources                  = ["$request.header.x-key"]
}

resource "aws_apigatewayv2_route" "pet" {
  api_id               = aws_apigatewayv2_api.pets.id
  route_key            = "GET /pets/{id}"
  target               = "integrations/${aws_apigatewayv2_integration.pets.id}"
  authorization_type   = "JWT"
  authorizer_id        = aws_apigatewayv2_authorizer.users.id
  authorization_scopes = ["read"]
}

resource "aws_apigatewayv2_route" "rest" {
  api_id    = aws_apigatewayv2_api.pets.id
  route_key = "$default"
  target    = "integrations/${aws_apigatewayv2_integration.pets.id}"
}

resource "aws_apigatewayv2_stage" "pets" {
  api_id      = aws_apigatewayv2_api.pets.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_burst_limit = 20
    throttling_rate_limit  = 10.5
  }

  route_settings {
    route_key              = aws_apigatewayv2_route.pet.route_key
    throttling_burst_limit = 2
    throttling_rate_limit  = 1
  }

  stage_variables = {
    greeting = var.greeting == "Hello" ? "hello" : "other"
  }
}

resource "aws_lambda_permission" "pets" {
  statement_id  = "pets"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.hello.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.pets.execution_arn}/*"
}

resource "aws_apigatewayv2_domain_name" "pets" {
  domain_name = "pets.terraform.example.com"

  # TLS ends before Hearth, which keeps the certificate's name only.
  domain_name_configuration {
    certificate_arn = "arn:aws:acm:us-east-1:000000000000:certificate/pets"
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "pets" {
  api_id          = aws_apigatewayv2_api.pets.id
  domain_name     = aws_apigatewayv2_domain_name.pets.id
  stage           = aws_apigatewayv2_stage.pets.id
  api_mapping_key = "v1"
}

# A WebSocket API, deployed when its routes are another set.
resource "aws_apigatewayv2_api" "chat" {
  name                       = "chat-terraform"
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_integration" "chat" {
  api_id                    = aws_apigatewayv2_api.chat.id
  integration_type          = "AWS_PROXY"
  integration_method        = "POST"
  integration_uri           = aws_lambda_function.hello.invoke_arn
  content_handling_strategy = "CONVERT_TO_TEXT"
}

resource "aws_apigatewayv2_route" "say" {
  api_id                              = aws_apigatewayv2_api.chat.id
  route_key                           = "say"
  target                              = "integrations/${aws_apigatewayv2_integration.chat.id}"
  route_response_selection_expression = "$default"
}

resource "aws_apigatewayv2_route_response" "say" {
  api_id             = aws_apigatewayv2_api.chat.id
  route_id           = aws_apigatewayv2_route.say.id
  route_response_key = "$default"
}

resource "aws_apigatewayv2_deployment" "chat" {
  api_id      = aws_apigatewayv2_api.chat.id
  description = "Messages"

  triggers = {
    routes = aws_apigatewayv2_route.say.id
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apigatewayv2_stage" "live" {
  api_id        = aws_apigatewayv2_api.chat.id
  name          = "live"
  deployment_id = aws_apigatewayv2_deployment.chat.id
}
