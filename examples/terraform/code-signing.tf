# With Enforce instead of Warn, Hearth takes no package at all: nothing here can sign one.
resource "aws_lambda_code_signing_config" "warn" {
  description = "Says who signs"

  allowed_publishers {
    signing_profile_version_arns = ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/hello/1"]
  }

  policies {
    untrusted_artifact_on_deployment = "Warn"
  }
}
