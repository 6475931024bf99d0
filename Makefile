# Everything a reader or a developer types; `make help` lists it.
# Written for GNU make 3.81 too, which is what macOS ships.

.DEFAULT_GOAL := help
.PHONY: help setup lab test book pdf epub serve notebooks student lint links weights bench lock clean

PORT ?= 8000

# Programs start their neighbours by name (jupyter, npm), so .venv comes first.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Python keeps what it has compiled, even where the environment says otherwise: torch,
# compiled anew for each program and each notebook, takes seconds.
export PYTHONDONTWRITEBYTECODE =
# PYTHON, if given, is the interpreter that .venv is made from.
export PYTHON

supported := import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# A finished set-up writes its folder into .venv/.complete. Without that note, in
# another folder (scripts in .venv hold its path), or when its Python has gone since,
# .venv is made anew.
usable := $(shell test "$$(cat .venv/.complete 2>/dev/null)" = "$$(pwd -P)" \
	&& .venv/bin/python -c '$(supported)' 2>/dev/null && echo yes)
ifneq ($(usable),yes)
.PHONY: .venv/.complete
endif

help: ## List these targets
	@echo "usage: make TARGET"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

setup: .venv/.complete ## Make .venv with the locked dependencies (the others do it too)

.venv/.complete: requirements.lock pyproject.toml
ifneq ($(usable),yes)
	@rm -rf .venv
	@if [ -n "$$PYTHON" ]; then set -- "$$PYTHON"; \
	else set -- python3 python3.13 python3.12 python3.11 python; fi; \
	found=; \
	for python; do \
	  if "$$python" -c '$(supported)' 2>/dev/null; then \
	    echo "Making .venv with $$("$$python" --version) ..."; \
	    exec "$$python" -m venv .venv; \
	  fi; \
	  version=$$("$$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' \
	    2>/dev/null) && found="$$found, $$version ($$python)"; \
	done; \
	found=$${found:-", none"}; \
	echo "mnistedu needs Python 3.11 to 3.13 with its venv module, and found$${found#,}:" \
	  "install one (on Debian and Ubuntu also python3-venv), or name yours, as in" \
	  "'make lab PYTHON=/path/to/python'." >&2; \
	exit 1
	@echo "Installing uv ..."
	@sed -n '/^uv==/,/[^\]$$/p' requirements.lock > .venv/uv.txt
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check \
	  --require-hashes -r .venv/uv.txt
	@echo "Installing the locked dependencies (the first time a download of several" \
	  "hundred MB, on Linux of several GB: PyTorch brings CUDA there) ..."
else
	@echo "requirements.lock or pyproject.toml has changed: bringing .venv in step ..."
	@mv $@ .venv/.before
endif
	@.venv/bin/uv pip install --python .venv/bin/python --require-hashes \
	  -r requirements.lock \
	&& .venv/bin/uv pip install --python .venv/bin/python --no-deps \
	  --no-build-isolation -e . \
	|| { mv .venv/.before $@ 2>/dev/null; exit 1; }  # uv has failed, and changed nothing
	@pwd -P > $@
	@echo "Set-up is complete."

# As root JupyterLab wants to be told so; without a screen it prints its address.
lab_options = $(shell test "$$(id -u)" = 0 && echo --allow-root) \
	$(shell test -n "$$CI" || { test "$$(uname)" = Linux \
	  && test -z "$$DISPLAY$$WAYLAND_DISPLAY"; } && echo --no-browser)

lab: setup ## Open the course in JupyterLab
	@.venv/bin/jupyter lab $(lab_options) --LabApp.default_url=/lab/tree/notebooks/01_data.ipynb

test: setup ## Run the unit tests and every notebook
	@.venv/bin/pytest --nbval -n 2

book: setup ## Render the book to _build/html
	@.venv/bin/jupyter-book build . -W -n --keep-going

pdf: setup ## Print the book to _build/mnistedu.pdf (needs Chromium)
	@.venv/bin/jupyter-book build . -W -n --keep-going --builder singlehtml
	@.venv/bin/python book/pdf.py

epub: setup ## Make an e-book of it, _build/mnistedu.epub
	@rm -rf _build/epub
	@.venv/bin/jupyter-book build . -W -n --keep-going --builder custom \
	  --custom-builder epub
	@mv _build/epub/mnistedu.epub _build

serve: book ## Render the book and show it on http://127.0.0.1:8000 (or PORT=...)
	@.venv/bin/python -u -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

notebooks: setup ## Run every notebook in place, so that its stored outputs are fresh
	@.venv/bin/python book/execute.py notebooks/*.ipynb

student: setup ## Copy the notebooks, without their solutions, to student/
	@.venv/bin/python book/student.py

lint: setup ## Check style, types and spelling
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/codespell

links: setup ## Ask for every page that the course links to (needs the internet)
	@.venv/bin/python book/links.py

weights: setup ## Train the network that the package ships
	@.venv/bin/python benchmarks/weights.py

bench: setup ## Run the timed comparisons
	@for name in by_hand course evaluation gradcam pad soak training; do \
	  echo "$$name"; .venv/bin/python "benchmarks/$$name.py" || exit 1; \
	done

lock: setup ## Renew requirements.lock with the newest versions that pyproject.toml allows
	@.venv/bin/uv pip compile --upgrade --universal --python-version 3.11 --all-extras \
	  --generate-hashes --custom-compile-command "make lock" --quiet \
	  --output-file requirements.lock pyproject.toml

clean: ## Remove .venv, the rendered book and all caches
	rm -rf .venv _build .mypy_cache .pytest_cache .ruff_cache
