"""Errors as Lambda reports them: a type, a message, the function's own frames."""

import json
import os
import sys
import time
import traceback

import logs

_HERE = os.path.dirname(os.path.abspath(__file__))
# Lambda indents log lines with no-break spaces, so that viewers keep the indent.
_INDENT = "\u00a0\u00a0"


class RuntimeFailure(Exception):
    """Something that the runtime finds wrong itself; `kind` is what Lambda calls errorType."""

    def __init__(self, kind, message, frames=()):
        super().__init__(message)
        self.kind = f"Runtime.{kind}"
        self.frames = list(frames)


def describe(error, request_id):
    """The error object for the caller. Never raises, whatever the error's own methods do."""
    if isinstance(error, RuntimeFailure):
        message, kind, frames = str(error), error.kind, error.frames
    else:
        kind = type(error).__name__
        frames = own_frames(error)
        try:
            message = str(error)
        except Exception:
            message = f"<{kind} without a usable text>"
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": frames}


def own_frames(error):
    """The traceback without this runtime's frames and those of the import machinery before the function's first."""
    entries = traceback.extract_tb(error.__traceback__)
    at = 0
    while at < len(entries) and _is_ours(entries[at].filename):
        at += 1
    return traceback.format_list(entries[at:])


def _is_ours(filename):
    return (
        filename.startswith(_HERE)
        or filename.startswith("<frozen importlib")
        or filename == os.path.join(os.path.dirname(os.__file__), "importlib", "__init__.py")
    )


def syntax_frames(error):
    """A syntax error has no frame of its own: the line that is wrong stands for it."""
    return [f'  File "{error.filename}" Line {error.lineno}\n    {(error.text or "").rstrip()}\n']


def encode(description):
    return json.dumps(description, ensure_ascii=False).encode("utf-8", "replace")


def log_text(description, log_format):
    """The log event of a failure."""
    if log_format == "JSON":
        stamped = {"timestamp": logs.iso_time(time.time()), "level": "ERROR", **description}
        return json.dumps(stamped, ensure_ascii=False)
    lines = [f"[ERROR] {description['errorType']}: {description['errorMessage']}"]
    if description["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        for entry in description["stackTrace"]:
            lines.extend(_indented(line) for line in entry.splitlines())
    return "\n".join(lines)


def _indented(line):
    text = line.lstrip(" ")
    return _INDENT * ((len(line) - len(text) + 1) // 2) + text
