"""The channel to the gateway: length-prefixed frames over a socket that this process was started with.

`packages/executor/src/protocol.ts` describes the frames.
"""

import socket
import struct

INIT = 1
INVOKE = 2
READY = 16
INIT_OK = 17
INIT_ERROR = 18
RESULT = 19
ERROR = 20
LOG = 21

LEVELS = {"TRACE": 0, "DEBUG": 1, "INFO": 2, "WARN": 3, "ERROR": 4, "FATAL": 5}
MAX_RESPONSE_BYTES = 6_291_556

_HEADER = struct.Struct("<IBBHI")
_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_F64 = struct.Struct("<d")
_LOG = struct.Struct("<dB")
_USUAL_BYTES = 65_536
_MAX_LOG_BYTES = 262_144
_MAX_ERROR_TYPE_BYTES = 256


class Event:
    """One invocation as it came over the channel."""

    __slots__ = ("seq", "deadline_ms", "request_id", "trace_id", "invoked_arn", "client_context", "payload")

    def __init__(self, seq, meta, payload):
        self.seq = seq
        self.deadline_ms = _F64.unpack_from(meta)[0]
        texts = []
        at = _F64.size
        for _ in range(4):
            end = at + 2 + _U16.unpack_from(meta, at)[0]
            texts.append(str(meta[at + 2 : end], "utf-8"))
            at = end
        self.request_id, self.trace_id, self.invoked_arn, self.client_context = texts
        self.payload = payload


class Channel:
    """Blocking, and the gateway is trusted: nothing that comes is checked."""

    def __init__(self, transport):
        self._transport = transport
        self._buffer = bytearray(_USUAL_BYTES)
        self._start = 0
        self._end = 0

    def receive(self):
        """Returns (type, seq, meta, payload) of the next frame, or None when the gateway has closed the channel."""
        if not self._fill(_HEADER.size):
            return None
        length, kind, _flags, meta_length, seq = _HEADER.unpack_from(self._buffer, self._start)
        if not self._fill(_HEADER.size + length):
            return None
        body = self._start + _HEADER.size
        frame = bytes(memoryview(self._buffer)[body : body + length])
        self._start = body + length
        return kind, seq, frame[:meta_length], frame[meta_length:]

    def ready(self):
        self._send(READY, 0, b"", b"")

    def init_ok(self):
        self._send(INIT_OK, 0, b"", b"")

    def init_error(self, error_type, body):
        self._send(INIT_ERROR, 0, _error_type(error_type), body)

    def result(self, seq, micros, body):
        self._send(RESULT, seq, _U32.pack(micros), body)

    def error(self, seq, micros, error_type, body):
        self._send(ERROR, seq, _U32.pack(micros) + _error_type(error_type), body)

    def log(self, seq, at_ms, level, text):
        """Sends one log event; a longer one than a frame takes goes as several."""
        data = text.encode("utf-8", "replace")
        meta = _LOG.pack(at_ms, LEVELS.get(level, 2))
        for at in range(0, len(data) or 1, _MAX_LOG_BYTES):
            self._send(LOG, seq, meta, data[at : at + _MAX_LOG_BYTES])

    def _send(self, kind, seq, meta, payload):
        header = _HEADER.pack(len(meta) + len(payload), kind, 0, len(meta), seq)
        self._transport.sendall(header + meta + payload)

    def _fill(self, count):
        """Makes sure that `count` bytes from `_start` on are there; False at the end of the channel."""
        if self._end - self._start >= count:
            return True
        if self._start == self._end:
            self._start = self._end = 0
            if len(self._buffer) > _USUAL_BYTES:
                self._buffer = bytearray(_USUAL_BYTES)
        if self._start + count > len(self._buffer):
            rest = self._buffer[self._start : self._end]
            self._buffer = bytearray(max(count, _USUAL_BYTES))
            self._buffer[: len(rest)] = rest
            self._start, self._end = 0, len(rest)
        while self._end - self._start < count:
            with memoryview(self._buffer) as view:
                got = self._transport.recv_into(view[self._end :])
            if got == 0:
                return False
            self._end += got
        return True


def inherited(descriptor):
    """The socket that the sandbox was started with. Child processes do not get it."""
    transport = socket.socket(fileno=descriptor)
    transport.set_inheritable(False)
    return transport


def _error_type(name):
    return name.encode("latin-1", "replace")[:_MAX_ERROR_TYPE_BYTES]
