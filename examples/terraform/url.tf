# The provider permits everybody to call a URL without authentication by itself.
resource "aws_lambda_function_url" "live" {
  function_name      = aws_lambda_function.versioned.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = "NONE"

  cors {
    allow_origins = ["https://example.com"]
    allow_methods = ["GET", "POST"]
    max_age       = 60
  }
}

resource "aws_lambda_permission" "bucket" {
  statement_id   = "bucket"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.versioned.function_name
  qualifier      = aws_lambda_alias.live.name
  principal      = "s3.amazonaws.com"
  source_arn     = "arn:aws:s3:::pictures"
  source_account = "000000000000"
}

output "url" {
  value = aws_lambda_function_url.live.function_url
}
