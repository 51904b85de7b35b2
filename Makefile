# Two commands: `make lesson`, then `make test`. `make help` lists the others. GNU Make 3.81 is enough.

PRESET ?= minute
# any Python 3.11 to 3.13; empty: the first one found
PYTHON ?=
# cpu: PyTorch's CPU build, which spares a Linux machine without an NVIDIA GPU gigabytes
TORCH ?=
# further flags for pip, pytest and `minillm pretrain`
PIP_FLAGS ?=
PYTEST_FLAGS ?=
LESSON_FLAGS ?=

EXTRAS := lab,hub,offline,test
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
STAMP := $(VENV)/.installed
CANDIDATES := $(if $(PYTHON),$(PYTHON),python3 python3.13 python3.12 python3.11 python)
FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# what an installation depends on; the stamp is a copy of it, so that no clock decides whether to install again
INSTALLED = { pwd; cat pyproject.toml constraints.txt; }

ifneq ($(filter-out cpu,$(TORCH)),)
$(error TORCH=$(TORCH) is unknown. Use TORCH=cpu, or leave it out for the build that pip chooses)
endif

.PHONY: help lesson test lab check evidence replays base-model install reinstall venv clean

help:
	@echo "make lesson    install into .venv, then pretrain a small model (PRESET=smoke, minute or laptop)"
	@echo "make test      run every test, and every notebook against its stored outputs"
	@echo "make lab       open notebooks/00_start_here.ipynb in JupyterLab"
	@echo "make check     lint and format code and notebooks, check the notebooks' form"
	@echo "make evidence  measure again what the notebooks claim (long)"
	@echo "make replays   record again the runs that REPLAY shows (long)"
	@echo "make base-model  train the model that the course ships, again (one to two hours; goes on where it stopped)"
	@echo "make clean     remove build outputs and caches; .venv and runs stay"
	@echo "Settings: PYTHON=/path/to/python3.12  TORCH=cpu  PIP_FLAGS=...  PYTEST_FLAGS=...  LESSON_FLAGS='--seed 1'"

lesson: install
	$(BIN)/minillm pretrain --preset $(PRESET) $(LESSON_FLAGS)

test: install
	OMP_NUM_THREADS=1 MINILLM_SPEED=REPLAY $(BIN)/python -m pytest \
	    --nbval --nbval-current-env --nbval-cell-timeout=120 -n 2 --dist loadfile $(PYTEST_FLAGS)

lab: install
	GOMP_SPINCOUNT=10000 $(BIN)/python -m jupyterlab notebooks/00_start_here.ipynb

check: install
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m minillm.classroom.notebooks check

evidence: install
	$(BIN)/python -m minillm.classroom.evidence

replays: install
	$(BIN)/python -m minillm.classroom.replays record

base-model: install
	$(BIN)/minillm pretrain --preset shipped --resume --out runs/shipped
	$(BIN)/minillm export runs/shipped --out data/base_model

install:
	@if ! $(INSTALLED) | cmp -s - $(STAMP) || ! $(BIN)/python -c '$(FITS)' 2>/dev/null; then \
	    $(MAKE) --no-print-directory reinstall; \
	fi

reinstall: venv
	@rm -f $(STAMP)
ifeq ($(TORCH),cpu)
	$(BIN)/python -m pip install $(PIP_FLAGS) -c constraints.txt --no-deps --index-url $(TORCH_CPU_INDEX) torch || \
	    { echo "PyTorch's CPU build was not to be had from there. Without TORCH=cpu, pip takes its own choice." >&2; exit 1; }
endif
	$(BIN)/python -m pip install $(PIP_FLAGS) -c constraints.txt -e ".[$(EXTRAS)]"
	@$(INSTALLED) > $(STAMP)

venv:
	@if $(BIN)/python -c '$(FITS)' 2>/dev/null && $(BIN)/python -m pip --version >/dev/null 2>&1; then exit 0; fi; \
	for python in $(CANDIDATES); do \
	    if "$$python" -c '$(FITS)' >/dev/null 2>&1; then \
	        echo "Making $(VENV) with $$("$$python" --version) ($$python)"; \
	        exec "$$python" -m venv --clear $(VENV); \
	    fi; \
	done; \
	echo "minillm needs Python 3.11, 3.12 or 3.13 with venv and ensurepip; none found under: $(CANDIDATES)." >&2; \
	echo "Get one: Debian or Ubuntu 'sudo apt install python3 python3-venv', macOS 'brew install python@3.13'," >&2; \
	echo "any system https://www.python.org/downloads/. Then: make lesson PYTHON=/path/to/python3" >&2; \
	exit 1

clean:
	rm -rf build dist .pytest_cache .hypothesis .ruff_cache
	find minillm tests notebooks \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
