"""Where `lifemask` begins: nothing is loaded yet, so that Ctrl-C is answered from the start on."""

import sys


def main() -> int:
    """Run ``lifemask`` and return the exit status."""
    try:
        from lifemask.plugin import cli

        return cli.main()
    except KeyboardInterrupt:
        print("lifemask: stopped by the user", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
