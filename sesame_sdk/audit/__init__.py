"""Audits a policy on simulated people before it is used: metrics, simulation and report.

The metrics are pure functions over numpy arrays; they raise InvalidInputError for values of a wrong type or
out of bounds, and for arrays of different lengths. Groups exist only among simulated people: the product
knows no real person's group.
"""
