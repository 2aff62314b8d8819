"""The nouns of the design, and their wire codec. Frozen, validated, free of IO.

Everything above this room speaks in these classes. A value that exists is valid: each class refuses
what is wrong with an error that names the field.
"""
