"""One module a notebook: `lessonNN` with EXERCISES and QUIZ, `claimsNN` with CLAIMS."""
