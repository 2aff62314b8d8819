"""A partner's side of the hub: post signals, read scores, keep receipts.

`client.Client` is the front; everything else here serves it. Nothing that was posted is lost or
counted twice, wherever the process is killed.
"""
