"""The shot's folder: shot.toml, versions and releases."""
