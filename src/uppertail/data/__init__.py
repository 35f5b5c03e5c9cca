"""The only file and hub code: readers and writers of every format, and the run folder."""
