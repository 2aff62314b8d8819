"""One plugin with many faults, a module each. The plugin without any is in `sound`."""
