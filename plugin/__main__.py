"""Where `lifemask` begins: little is loaded yet, so that Ctrl-C is answered from the start on."""

import sys

from lifemask.ocio.interrupts import undivided


def main() -> int:
    """Run ``lifemask`` and return the exit status."""
    try:
        with undivided():
            from lifemask.plugin import cli
        return cli.main()
    except KeyboardInterrupt:
        print("lifemask: stopped by the user", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
