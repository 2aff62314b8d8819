"""Sending messages to another party: outbox, dispatcher, HTTP transport, retries."""
