# The AWS provider with Hearth as its Lambda, API Gateway, CloudWatch and its Logs, IAM, EventBridge, Scheduler, Secrets
# Manager and Parameter Store. Credentials: AWS_SHARED_CREDENTIALS_FILE=data/credentials.
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "endpoint" {
  description = "Where Hearth listens"
  default     = "http://127.0.0.1:8080"
}

provider "aws" {
  region = "us-east-1"

  # There is no EC2 metadata at the other end.
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true

  endpoints {
    apigatewayv2   = var.endpoint
    cloudwatch     = var.endpoint
    events         = var.endpoint
    iam            = var.endpoint
    lambda         = var.endpoint
    logs           = var.endpoint
    scheduler      = var.endpoint
    secretsmanager = var.endpoint
    ssm            = var.endpoint
  }
}
