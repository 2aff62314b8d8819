"""The data model and its JSON codec. Frozen, validated, free of IO.

Each class validates its fields and raises an error that names the invalid one, so that every object is valid.
"""
