"""Where `lifemask` begins: little is loaded yet, so that Ctrl-C is answered from the start on."""

import os
import sys

from lifemask.ocio.media_errors import LifemaskError
from lifemask.ocio.system.signals import deferred_signals
from lifemask.plugin.commands.streams import secure, speak_utf8

_STOPPED = 130


def main() -> int:
    """Run ``lifemask`` and return the exit status."""
    speak_utf8()
    secure()
    try:
        with deferred_signals():
            from lifemask.plugin.commands import cli
        status = cli.main()
    except LifemaskError as error:
        print(f"lifemask: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print("lifemask: stopped by the user", file=sys.stderr)
        status = _STOPPED
    if status == _STOPPED:
        # Libraries that were stopped in the middle of something abort when they are unloaded.
        os._exit(status)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
