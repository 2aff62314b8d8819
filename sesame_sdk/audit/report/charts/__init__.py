"""The charts of a report, as self-contained SVG: no file, script or font.

Rules: every number in a picture is in its table; colour always comes with a shape, line or pattern; labels
may be cut short in a picture and never in a table.
"""
