"""`python -m monitor.cli`, for where the script is not on the path."""

from monitor.cli import main

main()
