"""From order lines to orders."""
