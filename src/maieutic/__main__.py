"""`python -m maieutic`: the same as the `maieutic` command."""

from maieutic.cli import main

main()
