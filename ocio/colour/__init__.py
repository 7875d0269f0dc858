"""Colour: every conversion is OpenColorIO's."""
