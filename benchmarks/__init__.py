"""How fast it is: each figure beside a limit measured in the same run, because machines are noisy."""
