"""Run with an installed wheel, outside the checkout: the package finds its own data and uses it."""

import sys
from pathlib import Path

import minillm
from minillm import base_model, facts, paths, tokenizer

package = Path(minillm.__file__).parent
if len(sys.argv) > 1:
    assert package.is_relative_to(sys.argv[1]), f"{package} is not the installed package in {sys.argv[1]}"
assert paths.data_dir() == package / "data", f"data lies in {paths.data_dir()}, not in the installed package"

course = tokenizer.course_tokenizer()
text = "Data travels inside the wheel: naïve café, 東京."
assert course.decode(course.encode(text)) == text
assert len(facts.runs()) > 10
assert base_model.load().config.vocab_size == course.vocab_size
print(f"minillm in {package}: {course.vocab_size} tokens, {len(facts.runs())} published runs")
