"""What notebook 01 tries: kinds of text against each other, and what filters throw away."""
