"""Study files, planning, the store, Ray Tune and the command line: everything between a question and its records."""
