"""Hearth's Python runtime.

Started ahead of need in a sandbox of its own, it gets ready, waits for INIT, becomes an instance of that function and
serves events until the gateway ends it.
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from channel import Channel, inherited  # noqa: E402
from serve import enter, init, serve  # noqa: E402
from warm_up import warm_up  # noqa: E402

CHANNEL_FD = 3
# Not used by this runtime, and none of its children's business.
PROGRESS_FD = 4


def main():
    channel = Channel(inherited(CHANNEL_FD))
    try:
        os.set_inheritable(PROGRESS_FD, False)
    except OSError:
        pass  # beside extensions there is none
    warm_up()
    channel.ready()
    frame = channel.receive()
    if frame is None:
        return
    facts = json.loads(frame[3])
    enter(facts)
    # Functions may have modules of the same names.
    for name in ("channel", "context", "failure", "handler", "logs", "serve", "warm_up"):
        sys.modules.pop(name, None)
    serve(channel, init(channel, facts), facts)


if __name__ == "__main__":
    main()
