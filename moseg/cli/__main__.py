"""`python -m moseg.cli`: the same as `moseg`."""

from moseg.cli.main import main

if __name__ == "__main__":
    main()
