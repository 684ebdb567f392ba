# How long a function's events are kept, what is counted of them, and who gets some of them.
resource "aws_cloudwatch_log_group" "orders" {
  name              = "/orders/terraform"
  retention_in_days = var.retention

  tags = {
    team = "a"
  }
}

variable "retention" {
  default = 14
}

resource "aws_cloudwatch_log_stream" "orders" {
  name           = "imported"
  log_group_name = aws_cloudwatch_log_group.orders.name
}

resource "aws_cloudwatch_log_metric_filter" "slow" {
  name           = "slow-terraform"
  log_group_name = aws_cloudwatch_log_group.orders.name
  pattern        = "{ $.latency > 1000 }"

  metric_transformation {
    name      = "SlowOrders"
    namespace = "Orders"
    value     = "$.latency"
    unit      = "Milliseconds"

    dimensions = {
      Shop = "$.shop"
    }
  }
}

resource "aws_lambda_permission" "logs" {
  statement_id  = "logs"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.hello.function_name
  principal     = "logs.amazonaws.com"
  source_arn    = "${aws_cloudwatch_log_group.orders.arn}:*"
}

resource "aws_cloudwatch_log_subscription_filter" "errors" {
  name            = "errors-terraform"
  log_group_name  = aws_cloudwatch_log_group.orders.name
  filter_pattern  = "?ERROR ?Exception"
  destination_arn = aws_lambda_function.hello.arn

  # The function must let Logs in first.
  depends_on = [aws_lambda_permission.logs]
}
