"""What notebook 05 tries: the loop laid open, what is learned first, and the clinic of broken runs."""
