# Osiris. `make` alone lists the targets. Each sets itself up on a machine that has Python 3.11 or later.

SHELL := /bin/sh
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo editor extension check test bench soak setup setup-dev clean distclean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: setup ## Check, compile and run the example shop: no server, no key
	@$(PY) scripts/demo.py

editor: setup ## Open the example shop in VS Code in your browser, with the extension
	@$(PY) tests/editors/open_editor.py

extension: setup ## Build the VS Code extension into vscode-extension/osiris.vsix
	@$(PY) tests/editors/setup_editors.py node vscode-extension
	@cd vscode-extension && PATH="$(CURDIR)/.tools/bin:$$PATH" npm run --silent package

check: setup-dev ## The inner loop: lint, types, layers, unit, language and LSP tests
	@scripts/check

test: setup-dev ## All tests, from nothing: also the extension's, Neovim and VS Code in a browser
	@scripts/test

bench: setup-dev ## Measure speed and memory beside other tools
	@$(PY) -m benchmarks

soak: setup-dev ## Long fuzz and crash runs
	@OSIRIS_SOAK=1 $(PY) -m pytest -q -m "hypothesis or soak" --timeout 7200

setup: ## Make .venv ready for using Osiris
	@python="$$(scripts/find-python)" && "$$python" scripts/setup_venv.py run

setup-dev: ## Make .venv ready for working on Osiris
	@python="$$(scripts/find-python)" && "$$python" scripts/setup_venv.py dev

clean: ## Remove what builds, runs and checks leave behind
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@rm -rf examples/*/build examples/*/logs examples/*/out examples/*/.osiris examples/shop/data
	@find server tests benchmarks scripts -type d -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## Also remove .venv, .tools and node_modules
	@rm -rf .venv .tools vscode-extension/node_modules vscode-extension/dist vscode-extension/schemas vscode-extension/bundled vscode-extension/osiris.vsix
