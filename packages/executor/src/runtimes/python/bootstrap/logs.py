"""The function's logging: `logging` writes log events over the channel, `print` goes to stdout as it is."""

import json
import logging
import sys
import time
import traceback

_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
_DATE_FORMAT = "%Y-%m-%dT%H:%M:%S"
# Lambda's names, and what the root logger is set to; Python has nothing below DEBUG.
_LEVELS = {
    "TRACE": logging.DEBUG,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
}
_NAMES = {number: name for name, number in _LEVELS.items() if name != "TRACE"}
# What every LogRecord has: the rest came from `extra`.
_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"aws_request_id", "tenant_id", "message", "asctime"}


def iso_time(seconds):
    """`seconds` of Unix time as Lambda prints it: UTC with milliseconds."""
    millis = int(seconds * 1000)
    return f"{time.strftime(_DATE_FORMAT, time.gmtime(millis // 1000))}.{millis % 1000:03d}Z"


def standard_level(number):
    """The level at or below `number` that every logger knows: levels of one's own count as that."""
    return min(logging.CRITICAL, max(logging.NOTSET, number)) // 10 * 10


class Current:
    """The event that is being served, for whoever logs meanwhile, on any thread."""

    seq = 0
    request_id = None


class ChannelHandler(logging.Handler):
    """Sends each record as one log event, whatever newlines it has."""

    def __init__(self, channel):
        super().__init__()
        self._channel = channel

    def emit(self, record):
        try:
            text = self.format(record)
            level = _NAMES.get(standard_level(record.levelno), "INFO")
            self._channel.log(Current.seq, record.created * 1000, level, text)
        except OSError:
            pass
        except Exception:
            self.handleError(record)


class _AddRequestId(logging.Filter):
    def filter(self, record):
        record.aws_request_id = Current.request_id or ""
        return True


class _TextFormatter(logging.Formatter):
    converter = time.gmtime


class _JsonFormatter(logging.Formatter):
    def format(self, record):
        fields = {
            "timestamp": iso_time(record.created),
            "level": logging.getLevelName(standard_level(record.levelno)),
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": record.aws_request_id,
        }
        if record.exc_info and record.exc_info[0] is not None:
            kind, error, trace = record.exc_info
            fields["errorType"] = kind.__name__
            fields["errorMessage"] = str(error)
            fields["stackTrace"] = traceback.format_list(traceback.extract_tb(trace))
            fields["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        for name, value in vars(record).items():
            if name not in _OWN_FIELDS and name not in fields:
                fields[name] = value
        return json.dumps(fields, default=repr, ensure_ascii=False)


def install(channel, log_format, level):
    """Gives the root logger its one handler, as Lambda does before it loads a function."""
    handler = ChannelHandler(channel)
    handler.addFilter(_AddRequestId())
    root = logging.getLogger()
    if log_format == "JSON":
        handler.setFormatter(_JsonFormatter())
        # The function may set its loggers lower: what is below its configured level is not written all the same.
        handler.setLevel(_LEVELS[level])
        root.setLevel(_LEVELS[level])
    else:
        handler.setFormatter(_TextFormatter(_FORMAT, _DATE_FORMAT))
    root.handlers = [handler]


def unbuffer():
    """Lets each printed line leave at once: it belongs to the event that runs now."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
