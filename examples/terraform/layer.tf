variable "layer_package" {
  description = "A zip with nodejs/node_modules/ in it"
  default     = "layer.zip"
}

resource "aws_lambda_layer_version" "words" {
  layer_name               = "words-terraform"
  description              = "Words to greet with"
  filename                 = var.layer_package
  source_code_hash         = filebase64sha256(var.layer_package)
  compatible_runtimes      = ["nodejs20.x"]
  compatible_architectures = ["x86_64", "arm64"]
}

# Another account may use it as well.
resource "aws_lambda_layer_version_permission" "words" {
  layer_name     = aws_lambda_layer_version.words.layer_name
  version_number = aws_lambda_layer_version.words.version
  statement_id   = "friends"
  action         = "lambda:GetLayerVersion"
  principal      = "111122223333"
}
