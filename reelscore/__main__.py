"""`python -m reelscore` is the command `reelscore`."""

from reelscore.cli import main

if __name__ == "__main__":
    main()
