"""The command line: the only argument parsing, printing and `asyncio.run`."""
