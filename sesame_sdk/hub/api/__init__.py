"""The hub over HTTP: thin. It reads and bounds what comes in, calls `hub.Hub`, and writes the answer."""
