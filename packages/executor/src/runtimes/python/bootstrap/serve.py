"""Becomes a function's instance and serves its events, one after the other."""

import decimal
import json
import os
import re
import sys
import time

import failure
import handler as handlers
import logs
from channel import INVOKE, MAX_RESPONSE_BYTES, Event
from context import LambdaContext

_TRACE = "_X_AMZN_TRACE_ID"
_INIT_FAILED = 1


# Stands for a decimal while the text is made: nobody can guess it, so nobody's own text is taken for one.
_MARK = f"decimal-{os.urandom(12).hex()}:"
_MARKED = re.compile(f'"{_MARK}([^"]*)"')


def _marshal(value, ascii_only):
    """JSON in which decimals are numbers with all their digits."""
    has_decimals = False

    def default(item):
        nonlocal has_decimals
        if isinstance(item, decimal.Decimal):
            has_decimals = True
            return _MARK + str(item)
        raise TypeError(f"Object of type {type(item).__name__} is not JSON serializable")

    text = json.dumps(value, ensure_ascii=ascii_only, default=default)
    return _MARKED.sub(r"\1", text) if has_decimals else text


def enter(facts):
    """Makes the environment, the working folder and the module path those of the function."""
    environment = facts["env"]
    for name in list(os.environ):
        if name not in environment:
            del os.environ[name]
    os.environ.update(environment)
    time.tzset()
    os.chdir(facts["taskRoot"])
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    here = os.path.dirname(os.path.abspath(__file__))
    standard = [folder for folder in sys.path if folder not in ("", here)]
    # What the function itself adds, which Python reads only when it starts.
    added = [folder for folder in environment.get("PYTHONPATH", "").split(":") if folder not in ("", here)]
    # Layers are made for the version that the function asks for; this one may be another.
    wanted = environment.get("AWS_EXECUTION_ENV", "").rpartition("_")[2]
    folders = [version] if wanted in ("", f"python{version}") else [version, wanted.removeprefix("python")]
    sys.path[:] = [
        facts["taskRoot"],
        *added,
        "/opt/python",
        *(f"/opt/python/lib/python{each}/site-packages" for each in folders),
        *standard,
        f"/opt/python/lib/python{version}/dist-packages",
    ]


def init(channel, facts):
    """Loads the handler; ends the process when that fails, after telling why."""
    logs.install(channel, facts["logFormat"], facts["logLevel"])
    logs.unbuffer()
    try:
        function = handlers.load(facts["handler"])
    except SystemExit:
        raise
    except BaseException as error:  # a module may raise anything
        description = failure.describe(error, "")
        channel.log(0, time.time() * 1000, "ERROR", failure.log_text(description, facts["logFormat"]))
        channel.init_error(description["errorType"], failure.encode(description))
        _flush()
        os._exit(_INIT_FAILED)
    channel.init_ok()
    return function


def serve(channel, function, facts):
    """Serves events until the gateway closes the channel."""
    while True:
        frame = channel.receive()
        if frame is None:
            return
        kind, seq, meta, payload = frame
        if kind == INVOKE:
            _invoke(channel, function, facts, Event(seq, meta, payload))


def _invoke(channel, function, facts, event):
    logs.Current.seq = event.seq
    logs.Current.request_id = event.request_id
    if event.trace_id:
        os.environ[_TRACE] = event.trace_id
    else:
        os.environ.pop(_TRACE, None)
    started = time.monotonic_ns()
    try:
        answer = _run(channel, function, facts, event)
        error_type = None
        if len(answer) > MAX_RESPONSE_BYTES:
            error_type = "Function.ResponseSizeTooLarge"
            answer = failure.encode(
                {
                    "errorMessage": "Response payload size exceeded maximum allowed payload size"
                    f" ({MAX_RESPONSE_BYTES} bytes).",
                    "errorType": error_type,
                }
            )
    except SystemExit:
        raise
    except BaseException as error:
        description = failure.describe(error, event.request_id)
        error_type = description["errorType"]
        answer = failure.encode(description)
        _flush()
        channel.log(event.seq, time.time() * 1000, "ERROR", failure.log_text(description, facts["logFormat"]))
    micros = min((time.monotonic_ns() - started) // 1000, 0xFFFFFFFF)
    _flush()
    logs.Current.seq = 0
    if error_type is None:
        channel.result(event.seq, micros, answer)
    else:
        channel.error(event.seq, micros, error_type, answer)


def _run(channel, function, facts, event):
    try:
        value = json.loads(event.payload) if event.payload else {}
    except ValueError as error:
        raise failure.RuntimeFailure("UnmarshalError", f"Unable to unmarshal input: {error}") from None

    def write(message):
        channel.log(event.seq, time.time() * 1000, "INFO", message)

    try:
        context = LambdaContext(event, facts, write)
    except (ValueError, AttributeError) as error:
        raise failure.RuntimeFailure("LambdaContextUnmarshalError", f"Unable to parse Client Context JSON: {error}") from None
    result = function(value, context)
    try:
        return _marshal(result, False).encode("utf-8")
    except UnicodeEncodeError:
        return _marshal(result, True).encode("ascii")
    except Exception as error:
        raise failure.RuntimeFailure("MarshalError", f"Unable to marshal response: {error}") from None


def _flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
