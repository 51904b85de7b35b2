"""The commands: pretrain, sample, eval, export, corpus, cost, plan, doctor; the docstring of each is its help."""

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import tyro

from minillm.config import PRESETS, SIZES, RunConfig, named
from minillm.errors import CheckpointError, ConfigError, MinillmError
from minillm.paths import checked_name

app = tyro.extras.SubcommandApp()

# what an option is called in --help, where "None" would say nothing
Folder = Annotated[Path, tyro.conf.Positional]
OptionalFolder = Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="[RUN]", help_behavior_hint="")]
Name = Annotated[str, tyro.conf.arg(metavar="NAME")]
Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")]
OptionalName = Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")]
OptionalPath = Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="")]
OptionalCount = Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")]
OptionalNumber = Annotated[float | None, tyro.conf.arg(metavar="X", help_behavior_hint="")]
# read by the command itself, which takes 7B and 7e9 and answers a slip with a named error
Amount = Annotated[str | None, tyro.conf.arg(metavar="X", help_behavior_hint="")]
Range = Annotated[str | None, tyro.conf.arg(metavar="X|LOW-HIGH", help_behavior_hint="")]
OptionalWhat = Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="[NAME]", help_behavior_hint="")]


@app.command
def pretrain(
    preset: OptionalName = None,
    size: OptionalName = None,
    source: OptionalName = None,
    minutes: OptionalNumber = None,
    steps: OptionalCount = None,
    seed: OptionalCount = None,
    out: OptionalPath = None,
    resume: Flag = False,
    config: OptionalPath = None,
    checkpoint_every: OptionalCount = None,
    batch_size: OptionalCount = None,
    micro_batches: OptionalCount = None,
    learning_rate: OptionalNumber = None,
    optimizer: OptionalName = None,
    precision: OptionalName = None,
    threads: OptionalCount = None,
    device: OptionalName = None,
    filtered: Flag = False,
    json: Flag = False,
) -> int:
    """Pretrain a model from nothing and report what it learned.

    Reads text, turns it into tokens, trains, evaluates on held-out text, samples, and writes it all into a folder:
    config.json, metrics.jsonl, evals.jsonl, samples.jsonl, checkpoints, loss.png, report.html, report.json.

    Examples:
        minillm pretrain                                   the course's first run, one minute of training
        minillm pretrain --source my-texts --minutes 10    on your own .txt, .md or .jsonl files
        minillm pretrain --config runs/minute-1/config.json --out runs/again     the same run once more

    Args:
        preset: A whole run by name: smoke (seconds), minute (if none is named), laptop (ten minutes).
        size: A model by name instead of the preset's: nano, micro, mini, small, base, gpt2, gpt2-medium, ...
        source: The text: embedded, synthetic, a file or folder of .txt, .md, .jsonl or .parquet (field text), or a
            dataset of the Hugging Face hub, hf:OWNER/NAME.
        minutes: Training time by the clock; the number of steps is measured, fixed and written down.
        steps: Number of updates, instead of minutes.
        seed: Decides the first weights and the order of the text.
        out: The run's folder; without it the next free runs/PRESET-N.
        resume: Go on with the run in --out from its newest whole checkpoint, or begin it if there is none.
        config: Repeat the run of this config.json (runs/NAME/config.json) with all its settings.
        checkpoint_every: Steps between checkpoints, besides the one at the end and one every ten minutes.
        batch_size: Sequences in one update.
        micro_batches: Parts a batch is cut into, to save memory.
        learning_rate: Peak rate of AdamW.
        optimizer: muon (with AdamW for tables and vectors) or adamw.
        precision: fp32, bf16, fp16, or auto: a run by the clock measures which is faster, others take fp32.
        threads: CPU threads.
        device: cpu, cuda or mps; without it the best one present.
        filtered: Apply the quality filters to your own text too.
        json: Print the report as JSON and nothing else.
    """
    from minillm.pretrain import pretrain as run

    if minutes is not None and steps is not None:
        raise ConfigError("Both --minutes and --steps are given.", "Use one of them.")
    if preset is not None and config is not None:
        raise ConfigError("Both --preset and --config are given.", "Use one of them.")
    if resume and out is None:
        raise ConfigError("--resume needs to know which run.", "Name its folder with --out.")
    plan = read_plan(preset or "minute", config)
    if size is not None:
        model = dataclasses.replace(named(SIZES, size, "size"), vocab_size=plan.model.vocab_size)
        plan = dataclasses.replace(plan, model=model)
    training = {
        "steps": steps,
        "seed": seed,
        "checkpoint_every": checkpoint_every,
        "batch_size": batch_size,
        "micro_batches": micro_batches,
        "learning_rate": learning_rate,
        "optimizer": optimizer,
        "precision": precision,
        "threads": threads,
    }
    train = dataclasses.replace(plan.train, **given(training))
    others = {"source": source, "minutes": minutes, "filtered": filtered or None, "device": device}
    plan = dataclasses.replace(plan, train=train, **given(others))
    if steps is not None:
        plan = dataclasses.replace(plan, minutes=None)
    out = out or next_folder(Path("runs"), preset or ("again" if config else "minute"))
    checked_name(out.name or out.resolve().name)
    report = run(plan, out, resume=resume, say=silent if json else say, progress=not json)
    if json:
        print_json(report)
    elif report["finished"]:
        print(summary(report))
    return 0 if report["finished"] else 130


def given(settings: dict) -> dict:
    """Return the settings that were given."""
    return {name: value for name, value in settings.items() if value is not None}


def read_plan(preset: str, config: Path | None) -> RunConfig:
    """Return the run to do: a preset, or the one of a config.json, whose steps are then already fixed."""
    if config is None:
        return named(PRESETS, preset, "preset")
    from minillm.settings import read_run_config

    return dataclasses.replace(read_run_config(config), minutes=None)


def next_folder(runs: Path, name: str) -> Path:
    """Return runs/NAME-N with the first N that is free."""
    number = 1
    while (runs / f"{name}-{number}").exists():
        number += 1
    return runs / f"{name}-{number}"


def say(line: str) -> None:
    """Tell the learner what is going on, at once."""
    print(line, flush=True)


def silent(line: str) -> None:
    """Tell nothing: a program reads the output."""


def print_json(value: object) -> None:
    """Print a value as JSON for a program."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def this_command() -> str:
    """Return how this program was called, so that what is printed can be typed where no environment is active."""
    called = Path(sys.argv[0])
    return str(called) if called.name.startswith("minillm") and not called.is_absolute() else "minillm"


def summary(report: dict) -> str:
    """Say what a finished run did, where things lie and what to open next."""
    kinds = ", ".join(f"{kind} {bits:.2f}" for kind, bits in report["bits_per_byte_by_kind"].items())
    out = Path(report["out"])
    return f"""
Done: {report["parameters"]:,} parameters, trained on {report["tokens_seen"]:,} tokens in {report["elapsed_s"]:.0f} s.
On text that it has not read it needs {report["val_bits_per_byte"]:.2f} bits a byte ({kinds}); raw text takes 8.

  its story, with what it wrote at six moments  {out / "report.html"}
  its loss as a picture                         {out / "loss.png"}
  its weights                                   {report["checkpoint"]}

Let it write:         {this_command()} sample {out} --prompt "The history of"
Then open notebooks/00_start_here.ipynb:  make lab   (or: jupyter lab notebooks/00_start_here.ipynb)"""


@app.command
def sample(
    run: OptionalFolder = None,
    prompt: Annotated[str, tyro.conf.arg(metavar="TEXT")] = "The history of",
    tokens: int = 200,
    temperature: float = 0.8,
    top_k: OptionalCount = None,
    top_p: float = 1.0,
    seed: int = 0,
    json: Flag = False,
) -> int:
    """Let a trained model continue a prompt.

    Args:
        run: The run's folder, or one of its checkpoints; without it the base model that comes with the course.
        prompt: The beginning of a text.
        tokens: How many tokens to write.
        temperature: 0 takes the likeliest token each time; higher is more varied.
        top_k: Draw from this many likeliest tokens only.
        top_p: Draw from the fewest likeliest tokens that together have this probability.
        seed: The same seed gives the same text.
        json: Print prompt, text and settings as JSON.
    """
    from minillm.report import printable
    from minillm.sampling import check_sampling, generate

    check_sampling(temperature, top_k, top_p, tokens)
    settings = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}
    model, tokenizer = load_run(find_checkpoint(run) if run else None)
    text = generate(model, tokenizer, prompt, tokens, **settings)
    if json:
        print_json({"prompt": prompt, "text": text, "tokens": tokens, **settings})
    else:
        print(printable(prompt + text))
    return 0


@app.command(name="eval")
def evaluate_run(run: OptionalFolder = None, source: OptionalName = None, json: Flag = False) -> int:
    """Measure a trained model on held-out text: nats a token, perplexity, bits a byte by kind.

    Args:
        run: The run's folder, or one of its checkpoints; without it the base model that comes with the course.
        source: Another text than the run's own: embedded, synthetic, a file or folder, or hf:OWNER/NAME.
        json: Print the result as JSON.
    """
    from minillm.batches import prepare_tokens
    from minillm.evaluate import evaluate
    from minillm.settings import read_run_config

    folder = find_checkpoint(run) if run else None
    plan = read_run_config(folder.parent.parent / "config.json") if folder else PRESETS["shipped"]
    model, tokenizer = load_run(folder)
    tokens = prepare_tokens(
        source or plan.source,
        tokenizer,
        part=plan.corpus_part,
        held_out_bytes=plan.held_out_bytes,
        filtered=plan.filtered,
        say=silent if json else say,
    )
    result = evaluate(model, tokens)
    if json:
        about = {"checkpoint": str(folder) if folder else None, "corpus_fingerprint": tokens.fingerprint}
        print_json({**about, **dataclasses.asdict(result)})
    else:
        print(folder or "the base model of the course")
        print(f"nats a token  {result.val_loss_nats:.4f}   perplexity {result.val_perplexity:.1f}")
        for kind, bits in result.bits_per_byte_by_kind.items():
            print(f"bits a byte   {bits:.4f}   {kind}")
        print(f"bits a byte   {result.val_bits_per_byte:.4f}   mean of the kinds")
    return 0


def find_checkpoint(run: Path) -> Path:
    """Return a checkpoint's folder, given it or its run. Raises CheckpointError if there is none."""
    from minillm.checkpoint import list_checkpoints

    if (run / "manifest.json").exists():
        return run
    found = list_checkpoints(run / "checkpoints") if run.is_dir() else []
    if not found:
        raise CheckpointError(
            f"There is no checkpoint in {run}.",
            "Name a run's folder, such as runs/minute-1; make one with: minillm pretrain",
        )
    return found[-1]


def load_run(folder: Path | None):
    """Return a checkpoint's model, or the base model, and the tokenizer it was trained with: always the course's."""
    from minillm import base_model
    from minillm.checkpoint import load_model, read_state
    from minillm.tokenizer import course_tokenizer

    if folder is None:
        return base_model.load(), course_tokenizer()
    model, tokenizer = load_model(folder), course_tokenizer()
    trained_with = read_state(folder).tokenizer_fingerprint
    if trained_with != tokenizer.fingerprint:
        raise CheckpointError(
            f"{folder} was trained with the tokenizer {trained_with}, and the course's is {tokenizer.fingerprint}.",
            "Use the version of minillm that trained it, or train it again.",
        )
    return model, tokenizer


@app.command
def export(run: Folder, out: Path, json: Flag = False) -> int:
    """Write a finished run's model in half precision, with a card: how the course's base model was made.

    Args:
        run: The run's folder.
        out: The folder that receives model.safetensors and card.json.
        json: Print the card as JSON.
    """
    from minillm import base_model

    about = base_model.export(run, out, say=silent if json else say)
    if json:
        print_json(dataclasses.asdict(about))
    else:
        print(about)
    return 0


@app.command
def corpus(source: Name = "embedded", json: Flag = False) -> int:
    """Show what a model reads: documents, bytes, tokens and licences of each kind, and what each step threw away.

    Args:
        source: embedded, synthetic, a file or folder of .txt, .md, .jsonl or .parquet, or hf:OWNER/NAME.
        json: Print it as JSON.
    """
    from minillm.batches import prepare_tokens
    from minillm.corpus import summary_table
    from minillm.tokenizer import course_tokenizer

    tokens = prepare_tokens(source, course_tokenizer(), say=silent if json else say)
    if json:
        print_json(tokens.summary)
    else:
        print(summary_table(tokens.summary))
    return 0


@app.command
def cost(
    name: OptionalWhat = None,
    run: OptionalName = None,
    shape: OptionalName = None,
    params: Amount = None,
    active_params: Amount = None,
    tokens: Amount = None,
    layers: Amount = None,
    width: Amount = None,
    heads: Amount = None,
    kv_heads: Amount = None,
    hidden: Amount = None,
    vocab: Amount = None,
    context: Amount = None,
    window: Amount = None,
    window_layers: Amount = None,
    tied: Flag = False,
    ungated: Flag = False,
    accelerator: OptionalName = None,
    devices: Amount = None,
    job: OptionalName = None,
    year: Amount = None,
    utilisation: Range = None,
    goodput: Range = None,
    price: Range = None,
    pue: Range = None,
    carbon: Range = None,
    recompute: OptionalName = None,
    zero: OptionalCount = None,
    tensor_parallel: Amount = None,
    sequences: Amount = None,
    checkpoints: Amount = None,
    audit: Flag = False,
    json: Flag = False,
) -> int:
    """Estimate what a training run takes: operations, memory, storage, hours, dollars, energy, carbon.

    Hours and all that follows are intervals: no one knows beforehand how much of its peak an accelerator will reach.

    Examples:
        minillm cost "Llama-3.1 405B"                                      a published run, beside what was published
        minillm cost --shape DeepSeek-V3 --tokens 14.8T --accelerator h100 --job cluster
        minillm cost --params 7e9 --tokens 2e12 --accelerator a100-80gb    totals alone
        minillm cost --layers 12 --width 768 --heads 12 --vocab 50257 --context 1024 --tied --ungated
        minillm cost --audit                                               the estimator against every published run

    Args:
        name: A published run or shape, or a size of this course; --run and --shape look in one table only.
        run: A published run by name.
        shape: A published shape by name.
        params: Parameters, such as 7e9 or 7B, where no shape is given.
        active_params: Those that take part in one token, in a mixture of experts.
        tokens: Tokens of training, such as 2e12 or 2T; a published run has its own.
        layers: Layers of a shape given by hand.
        width: Its d_model.
        heads: Its query heads.
        kv_heads: Its key-value heads; as many as query heads if not given.
        hidden: Width inside its feed-forward part; 4 times the width, or 8/3 where it is gated, if not given.
        vocab: Its vocabulary; 32,000 if not given.
        context: Tokens in a sequence; 2,048 if not given, and for a published run or shape its own.
        window: Tokens that a layer with a sliding window looks at.
        window_layers: How many layers have the window; all if not given.
        tied: The token embedding is the head too.
        ungated: Feed-forward parts of two matrices (GELU) instead of three (SwiGLU).
        accelerator: v100, a100-40gb, a100-80gb, h100, h200, b200, tpu-v4, ...; h100 if none is named.
        devices: How many, for days and for memory on each; the fewest that hold it if not given.
        job: cluster (or frontier), node (one or two tuned machines), hobby. Without it the interval is wider, and
            between 3e19 operations (as one machine) and 3e21 (as a cluster) twice the tokens take 2.2 times the hours.
        year: Of the job: decides prices, and before 2023 the software.
        utilisation: Share of the peak over the whole job, where it was measured: 0.4, 40% or 0.3-0.5.
        goodput: Share of the time that trains, where the utilisation is that of the steady state.
        price: Dollars for one accelerator and hour: 2.5 or 2-3; 0 for a machine of your own.
        pue: What the building draws for each watt of the machines.
        carbon: Kilograms of CO2e for a kWh.
        recompute: none, selective or full: what is computed again to save memory.
        zero: ZeRO stage, 0 to 3: what devices share instead of copying.
        tensor_parallel: Devices among which each matrix is cut; a divisor of the heads.
        sequences: Sequences that a device has in work at once.
        checkpoints: How many are kept.
        audit: Hold the estimator against every published run.
        json: Print it as JSON.
    """
    asked = dict(locals())  # all options by name, as long as nothing else has one
    del asked["audit"], asked["json"]

    from minillm.cost.audit import audit_dict
    from minillm.cost.request import make_estimate
    from minillm.cost.tables import audit_table, estimate_dict, estimate_table

    if audit:
        if any(value not in (None, False) for value in asked.values()):
            raise ConfigError("--audit takes every published run.", "Leave the other options out.")
        if json:
            print_json(audit_dict())
        else:
            print(audit_table())
        return 0
    estimate = make_estimate(**asked)
    if json:
        print_json(estimate_dict(estimate))
    else:
        print(estimate_table(estimate))
    return 0


@app.command
def plan(
    minutes: Amount = None,
    flops: Amount = None,
    dollars: Amount = None,
    accelerator: OptionalName = None,
    job: OptionalName = None,
    device: OptionalName = None,
    json: Flag = False,
) -> int:
    """Say which model and how many tokens use a budget best, and the loss to expect, as an interval.

    Minutes are those of this machine, which is measured for some seconds. Operations need no measuring. Dollars rent an
    accelerator: there the budget leaves the course's sizes, and a published law answers.

    Examples:
        minillm plan --minutes 10                          on this machine
        minillm plan --flops 2e13                          anywhere
        minillm plan --dollars 100 --accelerator h100

    Args:
        minutes: Minutes of training on this machine.
        flops: Floating-point operations of the model, such as 2e13.
        dollars: Dollars for the hours of one accelerator or many.
        accelerator: With dollars: v100, a100-80gb, h100, b200, tpu-v4, ...; h100 if none is named.
        job: With dollars: cluster (or frontier), node (one or two tuned machines), hobby; narrows the interval.
        device: With minutes: cpu, cuda or mps; without it the best one present.
        json: Print it as JSON.
    """
    from minillm.plan import make_plan, plan_dict, plan_table

    made = make_plan(minutes, flops, dollars, accelerator, job, device, say=silent if json else say)
    if json:
        print_json(plan_dict(made))
    else:
        print(plan_table(made))
    return 0


@app.command
def doctor(device: OptionalName = None, json: Flag = False) -> int:
    """Say what this machine is, what it can run, and how long each preset takes on it; measures for some 20 seconds.

    Args:
        device: cpu, cuda or mps; without it the best one present.
        json: Print it as JSON.
    """
    from minillm.doctor import examination_dict, examination_table, examine
    from minillm.runtime import pick_device

    found = examine(device=pick_device(device), say=silent if json else say)
    if json:
        print_json(examination_dict(found))
    else:
        print(examination_table(found))
    return 0


def main() -> None:
    """Run the command line; a named error prints its cause and its remedy and exits with code 2."""
    # Read when torch is first imported: threads that wait spin for a moment only, then sleep. On two idle cores a step
    # of the small models took 73 ms instead of 92 (torch 2.13), and where other programs run the gain is larger.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    try:
        sys.exit(app.cli(prog="minillm", description=__doc__))
    except MinillmError as error:
        print(f"{type(error).__name__}: {error.cause}\n{error.remedy}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        print(
            f"{type(error).__name__}: {error}\nCheck that the place exists, has space, and may be read and written.",
            file=sys.stderr,
        )
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
