"""How one party's messages reach another: an outbox on disk, delivery over HTTPS, receipts kept.

`client.Client` is the front; everything else here serves it. Nothing that was posted is lost or
counted twice, wherever the process is killed.
"""
