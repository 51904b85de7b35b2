"""minillm: how a large language model is pretrained, small enough to read and run.

The pipeline, room by room:

    text       corpus      sources, extraction, filters, near-duplicates, split, mixture
    tokens     tokenizer   byte-level BPE (bpe: the same in plain Python)
    batches    batches     tokens on disk to inputs and targets
    logits     model       the transformer in two forms
    loss       loss        nats, perplexity, bits a byte
    weights    optimizer, train
    checkpoint checkpoint  written atomically, verified before use
    samples    sampling    logits to text
    report     evaluate, report
    all of it  pretrain    the whole story on one page (settings: what is asked, measured and fixed; cli: the commands)

Beside it: config (what a model and a run are), runtime (the machine), facts and cost (published figures, FLOPs),
classroom (what the notebooks use). Import the room you need: `from minillm.model import Transformer`.
"""

__version__ = "0.1.0"
