# Events on a bus, and a time of day.
resource "aws_cloudwatch_event_rule" "orders" {
  name        = "orders-terraform"
  description = "Orders of more than 40"

  event_pattern = jsonencode({
    source = ["com.example.shop"]
    detail = { total = [{ numeric = [">", 40] }] }
  })

  tags = {
    team = "a"
  }
}

resource "aws_cloudwatch_event_target" "hello" {
  rule      = aws_cloudwatch_event_rule.orders.name
  target_id = "hello"
  arn       = aws_lambda_function.hello.arn

  input_transformer {
    input_paths    = { id = "$.detail.id" }
    input_template = "{\"name\": \"order <id>\"}"
  }

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 10
  }
}

resource "aws_lambda_permission" "orders" {
  statement_id  = "orders"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.hello.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.orders.arn
}

resource "aws_cloudwatch_event_rule" "hourly" {
  name                = "hourly-terraform"
  schedule_expression = "rate(1 hour)"
}

# What schedules invoke as.
resource "aws_iam_role" "timer" {
  name = "timer-terraform"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "timer" {
  name = "invoke"
  role = aws_iam_role.timer.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = aws_lambda_function.hello.arn
    }]
  })
}

resource "aws_scheduler_schedule_group" "mornings" {
  name = "mornings-terraform"
}

resource "aws_scheduler_schedule" "morning" {
  name                         = "morning-terraform"
  group_name                   = aws_scheduler_schedule_group.mornings.name
  schedule_expression          = "cron(0 7 ? * MON-FRI *)"
  schedule_expression_timezone = "Europe/Berlin"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = aws_lambda_function.hello.arn
    role_arn = aws_iam_role.timer.arn
    input    = jsonencode({ name = "early bird" })
  }
}

# What was on the bus, to be replayed.
resource "aws_cloudwatch_event_archive" "orders" {
  name             = "orders-terraform"
  description      = "Orders of the last 30 days"
  event_source_arn = "arn:aws:events:us-east-1:000000000000:event-bus/default"
  retention_days   = 30

  event_pattern = jsonencode({
    source = ["com.example.shop"]
  })
}
