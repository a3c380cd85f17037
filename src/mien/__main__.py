"""`python -m mien`."""

from .cli import main

main()
