variable "live_version" {
  description = "The version that serves the alias's calls"
  default     = "1"
}

variable "canary_version" {
  description = "Another version, which gets a quarter of them"
  default     = null
}

# Every change of code or configuration is published as a version of its own.
resource "aws_lambda_function" "versioned" {
  function_name    = "versioned-terraform"
  role             = aws_iam_role.hello.arn
  runtime          = "nodejs20.x"
  handler          = "index.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  layers           = [aws_lambda_layer_version.words.arn]
  publish          = true

  environment {
    variables = {
      GREETING = var.greeting
    }
  }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "What callers use"
  function_name    = aws_lambda_function.versioned.function_name
  function_version = var.live_version

  dynamic "routing_config" {
    for_each = var.canary_version == null ? [] : [var.canary_version]

    content {
      additional_version_weights = {
        (routing_config.value) = 0.25
      }
    }
  }
}

output "version" {
  value = aws_lambda_function.versioned.version
}
