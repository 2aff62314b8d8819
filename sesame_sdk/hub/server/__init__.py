"""The HTTP server process: application, workers, shutdown, systemd."""
