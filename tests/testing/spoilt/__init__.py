"""One plugin with many ways of breaking the contract: a module each. What they spoil is in `sound`."""
