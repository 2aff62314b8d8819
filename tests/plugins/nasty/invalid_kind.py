"""Way of failing: invalid kind."""

from nasty.parts import kind

kind("Not A Kind")
