variable "package" {
  description = "A zip with index.mjs in it"
  default     = "hello.zip"
}

variable "greeting" {
  default = "Hello"
}

variable "memory" {
  default = 128
}

resource "aws_lambda_function" "hello" {
  function_name    = "hello-terraform"
  description      = "Greets"
  role             = "arn:aws:iam::000000000000:role/hello"
  runtime          = "nodejs20.x"
  handler          = "index.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  memory_size      = var.memory
  timeout          = 10

  # At most so many events at once, and room for as many.
  reserved_concurrent_executions = 5

  environment {
    variables = {
      GREETING = var.greeting
    }
  }

  ephemeral_storage {
    size = 1024
  }

  logging_config {
    log_format            = "JSON"
    application_log_level = "WARN"
  }

  tracing_config {
    mode = "Active"
  }

  tags = {
    team     = "a"
    greeting = var.greeting
  }
}

output "arn" {
  value = aws_lambda_function.hello.arn
}
