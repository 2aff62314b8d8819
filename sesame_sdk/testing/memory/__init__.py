"""A hub in memory: no database, no HTTP, the same answers as the real one.

It restates the hub's rules as plainly as they can be said, and shares with it what both stand on: the
signing room, the guard, and the score's one SQL text. What it is not: quick, durable, or safe to share
between threads.

    parties      whose keys count
    registered   what partners may say, and why they may read
    consents     what people agreed to
    kept         envelopes, receipts and signals
    readers      who may read, and how often a token is good
    scores       what counts, and the scores of it
    hub          `MemoryHub`: all of it together
"""
