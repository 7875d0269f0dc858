"""Packaging: each top-level folder is one part of the `lifemask` package."""

from setuptools import find_packages, setup

PARTS = ("plugin", "nodes", "ocio", "gizmos")

setup(
    packages=[
        f"lifemask.{name}" for part in PARTS for name in find_packages(include=[part, f"{part}.*"])
    ],
    package_dir={f"lifemask.{part}": part for part in PARTS},
    package_data={
        "": [
            "py.typed",
            "*.tflite",
            "*.binarypb",
            "*.safetensors",
            "*.tsv",
            "LICENSE",
            "NOTICE",
            "SHA256SUMS",
            "*.html",
            "*.gizmo",
            "nodes.json",
        ]
    },
)
