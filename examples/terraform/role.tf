variable "permitted" {
  description = "What the functions may do with their table"
  type        = list(string)
  default     = ["dynamodb:GetItem"]
}

# What the functions run as: Lambda may take it, and it may write logs, read one table and call functions.
resource "aws_iam_role" "hello" {
  name                 = "hello-terraform"
  path                 = "/functions/"
  description          = "Of the functions that greet"
  max_session_duration = 7200
  permissions_boundary = aws_iam_policy.limit.arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  tags = {
    team = "a"
  }
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.hello.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_policy" "table" {
  name        = "hello-table-terraform"
  description = "Reads the table of greetings"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = var.permitted
      Resource = "arn:aws:dynamodb:us-east-1:000000000000:table/greetings"
    }]
  })

  tags = {
    team = "a"
  }
}

resource "aws_iam_role_policy_attachment" "table" {
  role       = aws_iam_role.hello.name
  policy_arn = aws_iam_policy.table.arn
}

resource "aws_iam_role_policy" "invoke" {
  name = "invoke"
  role = aws_iam_role.hello.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = "arn:aws:lambda:us-east-1:000000000000:function:*"
    }]
  })
}

resource "aws_iam_policy" "limit" {
  name = "hello-limit-terraform"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:*", "dynamodb:*", "lambda:*"]
      Resource = "*"
    }]
  })
}
