"""The hub over HTTP, a thin layer: reads bounded requests, calls `hub.Hub`, and writes the responses."""
