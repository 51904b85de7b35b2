"""From sources to documents: what the model reads, what is held out, and what was thrown away on the way.

sources -> extract -> filters -> dedup -> split -> Corpus

`load_corpus` in `load` tells the story on one page. `synthetic` makes text whose entropy or shares are known exactly.
"""

from minillm.corpus.documents import Corpus, Document, summary_table
from minillm.corpus.load import input_key, load_corpus

__all__ = ["Corpus", "Document", "input_key", "load_corpus", "summary_table"]
