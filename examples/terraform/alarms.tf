# Calls a function when another one fails, and follows how many of its calls do.
resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "errors-terraform"
  alarm_description   = "${var.greeting}, something fails"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_lambda_function.hello.arn]

  dimensions = {
    FunctionName = aws_lambda_function.versioned.function_name
  }

  tags = {
    team = "a"
  }
}

resource "aws_cloudwatch_metric_alarm" "error_rate" {
  alarm_name          = "error-rate-terraform"
  evaluation_periods  = 1
  threshold           = var.memory == 128 ? 5 : 10
  comparison_operator = "GreaterThanThreshold"

  metric_query {
    id          = "rate"
    expression  = "errors / calls * 100"
    label       = "Error rate"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { errors = "Errors", calls = "Invocations" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/Lambda"
        metric_name = metric_query.value
        stat        = "Sum"
        period      = 60
        dimensions = {
          FunctionName = aws_lambda_function.versioned.function_name
        }
      }
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "either" {
  alarm_name = "either-terraform"
  alarm_rule = "ALARM(${aws_cloudwatch_metric_alarm.errors.alarm_name}) OR ALARM(${aws_cloudwatch_metric_alarm.error_rate.alarm_name})"
}

resource "aws_lambda_permission" "alarm" {
  statement_id  = "alarm"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.hello.function_name
  principal     = "lambda.alarms.cloudwatch.amazonaws.com"
  source_arn    = aws_cloudwatch_metric_alarm.errors.arn
}
