"""curl -T hello.py -H "Authorization: Bearer $HEARTH_TOKEN" localhost:8080/v1/functions/"""

import json


def lambda_handler(event, context):
    name = json.loads(event["body"])["name"]
    return {"statusCode": 200, "body": f"Hello, {name}! {context.get_remaining_time_in_millis()} ms left."}
