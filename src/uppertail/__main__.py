"""`python -m uppertail` is the command `uppertail`."""

from uppertail.cli import main

main()
