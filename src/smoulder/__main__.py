"""`python -m smoulder` is `smoulder`."""

from smoulder.cli import main

if __name__ == "__main__":
    main()
