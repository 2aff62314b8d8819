"""Streams of score changes to readers (Shared Signals Framework): rescoring, outbox, push and poll."""
