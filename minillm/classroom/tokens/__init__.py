"""What notebook 02 tries: merges one by one, and vocabularies of several sizes."""
