"""The contract of plugins: what every plugin must do, as tests."""
