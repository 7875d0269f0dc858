"""A stand-in for the layout of a panel, as strict as Blender's."""

import bpy


class Layout:
    """Draws nothing, and takes note of what is drawn and pressed."""

    def __init__(self, drawn, buttons=None):
        self.drawn, self.buttons = drawn, [] if buttons is None else buttons

    def column(self, align=False):
        return self

    row = column

    def prop(self, owner, name):
        assert name in owner.bl_rna.properties
        self.drawn.append(name)

    def label(self, text, icon):
        self.drawn.append(text)

    def progress(self, factor, text):
        self.drawn.append(f"{factor:.0%} {text}")

    def template_icon(self, icon_value, scale):
        self.drawn.append("picture")

    def operator(self, name, text="", icon="NONE"):
        group, _, operation = name.partition(".")
        kind = getattr(getattr(bpy.ops, group), operation).get_rna_type()
        self.drawn.append(text or kind.name)
        return Pressed(kind, operation, self.buttons)


class Pressed:
    def __init__(self, kind, operation, buttons):
        vars(self).update(kind=kind, buttons=buttons)
        if operation != "press":
            buttons.append(operation)

    def __setattr__(self, name, value):
        assert name in self.kind.properties
        if name == "button":
            self.buttons.append(value)
