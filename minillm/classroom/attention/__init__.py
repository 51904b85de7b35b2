"""What notebook 04 tries: the in-context staircase, and what attention looks at."""
