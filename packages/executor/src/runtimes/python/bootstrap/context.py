"""What a handler gets as its second argument. Names are those of Lambda's own runtime."""

import json
import time


class ClientContext:
    __slots__ = ["custom", "env", "client"]

    def __init__(self, fields):
        self.custom = fields.get("custom")
        self.env = fields.get("env")
        client = fields.get("client")
        self.client = Client(client) if client else None

    def __repr__(self):
        return _show(self)


class Client:
    __slots__ = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]

    def __init__(self, fields):
        for name in self.__slots__:
            setattr(self, name, fields.get(name))

    def __repr__(self):
        return _show(self)


class CognitoIdentity:
    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]

    def __init__(self):
        self.cognito_identity_id = None
        self.cognito_identity_pool_id = None

    def __repr__(self):
        return _show(self)


class LambdaContext:
    def __init__(self, event, facts, write):
        self.aws_request_id = event.request_id
        self.log_group_name = facts["logGroup"]
        self.log_stream_name = facts["logStream"]
        self.function_name = facts["functionName"]
        self.memory_limit_in_mb = str(facts["memoryMiB"])
        self.function_version = facts["functionVersion"]
        self.invoked_function_arn = event.invoked_arn
        self.tenant_id = None
        self.client_context = ClientContext(json.loads(event.client_context)) if event.client_context else None
        self.identity = CognitoIdentity()
        self._epoch_deadline_time_in_ms = int(event.deadline_ms)
        self._write = write

    def get_remaining_time_in_millis(self):
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def log(self, message):
        self._write(str(message))

    def __repr__(self):
        shown = {name: value for name, value in vars(self).items() if name != "_write"}
        return "LambdaContext([" + ",".join(f"{name}={value}" for name, value in shown.items()) + "])"


def _show(thing):
    values = ",".join(f"{name}={getattr(thing, name)}" for name in thing.__slots__)
    return f"{type(thing).__name__}([{values}])"
