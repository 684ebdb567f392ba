# A secret with a value, and a parameter. Terraform keeps both values in its state: guard that as you would the values.
resource "aws_secretsmanager_secret" "hello" {
  name                    = "hello/greeting"
  description             = "What to say"
  recovery_window_in_days = 0
  tags = {
    team = "a"
  }
}

resource "aws_secretsmanager_secret_version" "hello" {
  secret_id     = aws_secretsmanager_secret.hello.id
  secret_string = jsonencode({ word = "Hello" })
}

resource "aws_ssm_parameter" "hello" {
  name  = "/hello/greeting"
  type  = "SecureString"
  value = "Hello"
  tags = {
    team = "a"
  }
}
