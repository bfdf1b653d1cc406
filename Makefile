# Everything that can be done with Reeltone, by name. Each target installs what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Every environment is what its lock says, file by file: no dependency is looked up.
INSTALL := pip --disable-pip-version-check --quiet install --no-deps
# Each source has a torch of its own, so it is pinned by version only, in pyproject.toml.
TORCH := pip --disable-pip-version-check --quiet install $(shell grep -oE 'torch==[0-9.]+' pyproject.toml)
LOCKED := $(INSTALL) --require-hashes --requirement
# sam pins other versions of the libraries that Reeltone uses, so it gets an environment of its own.
SAM_VENV := .venv-sam
# AWS's own server, to test the bundle with; its libraries are of another age.
AWS_IMAGE_VENV := .venv-aws-image
CHECKOV_VENV := .venv-checkov
SECURITY_VENV := .venv-security
LICENCES = $(SECURITY_VENV)/bin/pip-licenses --python $(BIN)/python
# Of those that pyproject.toml allows.
NOT_SHIPPED := "LGPL-2.1-only;MPL-2.0;MPL-2.0 AND MIT;Mozilla Public License 2.0 (MPL 2.0)"
# The locks of what leaves this machine.
SHIPPED := functions/sentiment/requirements.txt layers/vocabulary/requirements.txt \
	requirements/runtime.txt requirements/image.txt
LOCK_VENV := .venv-lock
COMPILE := UV_PYTHON_DOWNLOADS=never $(LOCK_VENV)/bin/uv pip compile --quiet --universal \
	--generate-hashes --no-annotate --custom-compile-command "make lock" $(ARGS)
TESTED := $(COMPILE) --constraint requirements/test.txt
CODE := functions layers/vocabulary/review_text model_training local_stack benchmarks checks reeltone
FUZZ_VENV := .venv-fuzz
AWS_IMAGE := tests/contract/aws_image
# What starts a training job in AWS's PyTorch image, over the libraries that training has here.
TOOLKIT_VENV := .venv-toolkit
TOOLKIT := tests/jobs/toolkit
# AWS's SDK for notebooks; it asks for older versions of libraries that Reeltone uses.
SAGEMAKER_VENV := .venv-sagemaker
REHEARSAL := tests/template tests/sam tests/contract/aws_image tests/contract/container
BUNDLES := model_training/models/classic model_training/models/modern
DATA ?= data
ARCHIVE ?=
# Where copies of the data are, if they are: options of the program that prepares it.
COPIES = $(addprefix --archive ,$(ARCHIVE)) $(addprefix --counterfactual ,$(COUNTERFACTUAL)) \
  $(addprefix --sst2 ,$(SST2)) $(addprefix --pretrained ,$(PRETRAINED))
export SAM ?= $(CURDIR)/$(SAM_VENV)/bin/sam
export AWS_IMAGE_PYTHON ?= $(CURDIR)/$(AWS_IMAGE_VENV)/bin/python

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: run
run: $(VENV)/run ## Start the whole application at http://127.0.0.1:8000 (PORT=... for another)
	@exec $(BIN)/python -m local_stack --port $(or $(PORT),8000)

# setuptools puts into a wheel whatever an earlier build left.
.PHONY: wheel
wheel: $(VENV)/run ## Build the Python package, with the model, in build/wheel
	@rm -rf build/lib build/bdist* build/wheel
	@$(BIN)/pip --disable-pip-version-check --quiet wheel --no-deps --no-build-isolation --wheel-dir build/wheel .
	@ls -l build/wheel

.PHONY: image
image: ## Build the whole application as one container image (needs Docker) and run it at http://127.0.0.1:8080 (PORT=...)
	@docker build --quiet --file local_stack/Dockerfile --tag reeltone $(ARGS) .
	@exec docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges \
		--publish 127.0.0.1:$(or $(PORT),8080):8080 reeltone

.PHONY: test
test: $(VENV)/test $(SAM_VENV)/done $(AWS_IMAGE_VENV)/done $(TOOLKIT_VENV)/done $(SAGEMAKER_VENV)/done ## Run all tests that this machine can run, and name the others (25 minutes on two cores)
	@$(BIN)/pytest $(TESTS)

.PHONY: fuzz
fuzz: $(FUZZ_VENV)/done ## Search for texts and requests that break a rule (MINUTES=30 of processor time; KEEP=yes keeps what reaches new code)
	@PYTHONPATH=.:layers/vocabulary:functions/sentiment $(FUZZ_VENV)/bin/python -m tests.fuzz --minutes $(or $(MINUTES),30) $(if $(KEEP),--keep)

.PHONY: fuzz-times
fuzz-times: $(VENV)/test ## Search for the text that takes longest to read (MINUTES=30 of processor time)
	@$(BIN)/python -m tests.fuzz.slowest --minutes $(or $(MINUTES),30) $(ARGS)

.PHONY: fuzz-api
fuzz-api: $(VENV)/test ## Try many requests made up from docs/openapi.yaml (EXAMPLES=1000 an operation)
	@REELTONE_API_EXAMPLES=$(or $(EXAMPLES),1000) $(BIN)/pytest --timeout 0 tests/contract/test_api_contract.py

.PHONY: soak
soak: $(VENV)/test ## Send many requests to the local stack while its endpoint fails (REQUESTS=10000)
	@$(BIN)/python -m tests.reliability.soak --requests $(or $(REQUESTS),10000) $(ARGS)

.PHONY: check
check: $(VENV)/test ## Check style and types; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy functions/sentiment/*.py functions/uploads/*.py layers/vocabulary/review_text model_training \
		local_stack benchmarks checks reeltone tests
	@$(BIN)/mypy functions/publisher/*.py

.PHONY: check-template
check-template: $(SAM_VENV)/done $(CHECKOV_VENV)/done ## Check template.yaml with cfn-lint and checkov
	@SAM_CLI_TELEMETRY=0 $(SAM) validate --lint
	@$(CHECKOV_VENV)/bin/checkov --config-file .checkov.yaml

# Not searched for secrets: pictures and models, and what looks like keys: fingerprints and hashes.
.PHONY: rehearse
rehearse: $(VENV)/test $(SAM_VENV)/done $(AWS_IMAGE_VENV)/done ## Play a deployment on this machine, from first to last, and say what was real
	@$(BIN)/python -m pytest -p tests.template.rehearsal $(REHEARSAL)

.PHONY: smoke
smoke: ## See that a deployed Reeltone works, at URL=https://...
	@$(PYTHON) -m checks.smoke $(URL)

.PHONY: check-security
check-security: $(VENV)/test $(SECURITY_VENV)/done ## Check code, secrets, licences, known vulnerabilities
	@$(SECURITY_VENV)/bin/bandit --configfile pyproject.toml --quiet --recursive $(CODE)
	@git ls-files -z -- ':!*.png' ':!*.svg' ':!*.onnx' ':!model_training/models' ':!requirements' ':!*/requirements*.txt' \
		| xargs -0 $(SECURITY_VENV)/bin/detect-secrets-hook
	@$(LICENCES) >/dev/null
	@$(LICENCES) --fail-on $(NOT_SHIPPED) --packages $$(grep -ohE '^[a-z0-9-]+' $(SHIPPED) | sort -u)
	@$(BIN)/python -m checks.audit $(SECURITY_VENV)/bin/pip-audit

.PHONY: sbom
sbom: build $(VENV)/test ## List the packages in what was built, in build/sbom.json (CycloneDX)
	@$(BIN)/python -m checks.sbom .aws-sam/build --output build/sbom.json

# The first lock has all that is tested with; what ships, and what it is run with, takes its versions.
.PHONY: lock
lock: $(LOCK_VENV)/done ## Write the locks anew after a change in pyproject.toml (ARGS=--upgrade: newest versions)
	@$(COMPILE) pyproject.toml --all-extras --group build --no-emit-package torch \
		--python-version 3.11 --output-file requirements/test.txt
	@$(TESTED) pyproject.toml --extra run --extra train --group build --no-emit-package torch \
		--python-version 3.11 --output-file requirements/train.txt
	@$(TESTED) pyproject.toml --extra run --group build \
		--python-version 3.11 --output-file requirements/run.txt
	@$(TESTED) --group fuzz --python-version 3.11 --output-file requirements/fuzz.txt
	@$(TESTED) --group job --no-emit-package numpy \
		--python-version 3.12 --output-file requirements/job.txt
	@$(TESTED) --group image --python-version 3.13 --output-file requirements/image.txt
	@$(TESTED) --group runtime --no-deps --python-version 3.12 --output-file requirements/runtime.txt
	@$(TESTED) --group function --python-version 3.13 --output-file functions/sentiment/requirements.txt
	@$(TESTED) --group layer --no-deps \
		--python-version 3.13 --output-file layers/vocabulary/requirements.txt
	@for tool in sam checkov security lock sagemaker; do $(COMPILE) --group $$tool \
		--python-version 3.11 --output-file requirements/$$tool.txt || exit 1; done
	@for list in $(AWS_IMAGE)/requirements $(AWS_IMAGE)/requirements-source \
		$(TOOLKIT)/requirements $(TOOLKIT)/requirements-source; do $(COMPILE) $$list.in --no-deps \
		--python-version 3.11 --output-file $$list.txt || exit 1; done

.PHONY: coverage
coverage: $(VENV)/test $(SAM_VENV)/done $(AWS_IMAGE_VENV)/done ## Run the tests and measure branch coverage, processes included
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest $(TESTS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

.PHONY: mutation
mutation: $(VENV)/test ## Change the code in many small ways and see that tests notice (25 minutes)
	@$(BIN)/python -m checks.mutation

.PHONY: format
format: $(VENV)/test ## Format the Python code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: data
data: $(VENV)/train ## Download and verify the data (ARCHIVE=file takes a copy; so do COUNTERFACTUAL=, SST2=, PRETRAINED=)
	@$(BIN)/python -m model_training.corpus --data-dir $(DATA) $(COPIES)

.PHONY: train
train: data ## Train a model and make a bundle of it (MODEL=modern, 10 hours on two cores, or classic); what ships stays
	@$(BIN)/python -m model_training.training $(or $(MODEL),modern) --data-dir $(DATA) $(ARGS)
	@$(BIN)/python -m model_training.export runs/$(or $(MODEL),modern) --data-dir $(DATA)

.PHONY: ship
ship: data ## Let the model that was trained be the one that runs and is deployed (MODEL=modern or classic)
	@$(BIN)/python -m model_training.export runs/$(or $(MODEL),modern) --data-dir $(DATA) --ship

.PHONY: evaluate
evaluate: data ## Score the shipped models on the test reviews; update pictures and model card
	@$(BIN)/python -m model_training.evaluation $(BUNDLES) --data-dir $(DATA) --write
	@$(BIN)/python -m model_training.evaluation.other_texts $(BUNDLES) --data-dir $(DATA)
	@$(BIN)/python -m model_training.report.model_card --data-dir $(DATA)

.PHONY: faithfulness
faithfulness: data ## Check the explanations by deleting words (10 minutes)
	@$(BIN)/python -m model_training.evaluation.faithfulness $(BUNDLES) --data-dir $(DATA)
	@$(BIN)/python -m model_training.report.model_card --data-dir $(DATA)

.PHONY: explore
explore: data ## Draw what the training reviews look like
	@$(BIN)/python -m model_training.report.explore --data-dir $(DATA)

.PHONY: peers
peers: data $(VENV)/test ## Train and score the peers (40 minutes; ARGS="--time" times them)
	@$(BIN)/python -m model_training.evaluation.peers --data-dir $(DATA) $(ARGS)

.PHONY: bench
bench: $(VENV)/test ## Measure speed beside what else there is (ARGS="text answers"; ARCHIVE=file)
	@$(BIN)/python -m benchmarks --data-dir $(DATA) $(if $(ARCHIVE),--archive $(ARCHIVE)) $(ARGS)

.PHONY: bench-check
bench-check: $(VENV)/test ## Fail where a ratio of the benchmarks is worse than it may be
	@$(BIN)/python -m benchmarks.check

.PHONY: screenshots
screenshots: $(VENV)/test ## Take the documentation's pictures of the website (while make run runs)
	@$(BIN)/python -m tests.browser.screenshots

# Letters of English and the marks that the pages use; bold in all widths, which the verdict needs.
LETTERS := U+20-7E,A0,B7,D7,E9,2013,2014,2018,2019,201C,201D,2026,2191,2193,2212
.PHONY: fonts
fonts: $(VENV)/test ## Cut the website's typeface out of its npm package (needs npm)
	@rm -rf build/fonts && mkdir -p build/fonts
	@npm pack --silent --pack-destination build/fonts @fontsource-variable/archivo@5.3.0 >/dev/null
	@tar -xzf build/fonts/*.tgz -C build/fonts
	@cp build/fonts/package/LICENSE frontend/fonts/archivo-licence.txt
	@set -e; for face in "archivo 400 100" "archivo-bold 700 62:125"; do set -- $$face; \
		$(BIN)/fonttools varLib.instancer --quiet build/fonts/package/files/archivo-latin-wdth-normal.woff2 \
			wght=$$2 wdth=$$3 --output build/fonts/$$1.ttf; \
		$(BIN)/fonttools subset build/fonts/$$1.ttf --unicodes=$(LETTERS) --layout-features=kern,tnum \
			--no-hinting --desubroutinize --flavor=woff2 --output-file=frontend/fonts/$$1.woff2; done

.PHONY: reference
reference: $(VENV)/test ## Write the tables of docs/reference.md, and the documents' indexes
	@$(BIN)/python -m checks.reference

.PHONY: jobs
jobs: $(VENV)/train ## Run jobs on SageMaker (ARGS="train modern --dry-run")
	@$(BIN)/python -m model_training.jobs $(or $(ARGS),--help)

.PHONY: toolkit
toolkit: $(TOOLKIT_VENV)/done ## Install AWS's training toolkit, for jobs on this machine (make jobs ARGS="train classic --local")

.PHONY: sagemaker
sagemaker: $(SAGEMAKER_VENV)/done ## Install AWS's SDK for notebooks, and the jobs that it starts (model_training.jobs.notebook)

.PHONY: build
build: $(SAM_VENV)/done ## Build function and layer for AWS
	@$(SAM) build

.PHONY: sam
sam: $(SAM_VENV)/done ## Install the SAM CLI in an environment of its own

.PHONY: clean
clean: ## Delete environments, caches and builds; data and runs stay
	@rm -rf $(VENV) $(SAM_VENV) $(AWS_IMAGE_VENV) $(TOOLKIT_VENV) $(SAGEMAKER_VENV) $(CHECKOV_VENV) $(SECURITY_VENV) $(LOCK_VENV) $(FUZZ_VENV) \
		.aws-sam build *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage .coverage.*

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Reeltone needs Python 3.11 or later: make PYTHON=python3.13 ...")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run: pyproject.toml requirements/run.txt | $(BIN)/python
	@echo "Installing what the application needs ..."
	@$(BIN)/$(LOCKED) requirements/run.txt
	@$(BIN)/$(INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/train: pyproject.toml requirements/train.txt | $(BIN)/python
	@echo "Installing what training needs, PyTorch among it ..."
	@$(BIN)/$(LOCKED) requirements/train.txt
	@$(BIN)/$(TORCH)
	@$(BIN)/$(INSTALL) --no-build-isolation --editable .
	@touch $@ $(VENV)/run

$(VENV)/test: pyproject.toml requirements/test.txt | $(BIN)/python
	@echo "Installing what the tests need, PyTorch among it ..."
	@$(BIN)/$(LOCKED) requirements/test.txt
	@$(BIN)/$(TORCH)
	@$(BIN)/$(INSTALL) --no-build-isolation --editable .
	@touch $@ $(VENV)/run $(VENV)/train

$(LOCK_VENV)/done: requirements/lock.txt
	@$(PYTHON) -m venv $(LOCK_VENV)
	@$(LOCK_VENV)/bin/$(LOCKED) $<
	@touch $@

$(SAM_VENV)/done: requirements/sam.txt
	@echo "Installing the SAM CLI ..."
	@$(PYTHON) -m venv $(SAM_VENV)
	@$(SAM_VENV)/bin/$(LOCKED) $<
	@touch $@

$(AWS_IMAGE_VENV)/done: $(AWS_IMAGE)/requirements.txt $(AWS_IMAGE)/requirements-source.txt
	@echo "Installing AWS's model server ..."
	@$(PYTHON) -m venv $(AWS_IMAGE_VENV)
	@$(AWS_IMAGE_VENV)/bin/$(LOCKED) $(AWS_IMAGE)/requirements.txt --only-binary=:all:
	@CC=true $(AWS_IMAGE_VENV)/bin/$(LOCKED) $(AWS_IMAGE)/requirements-source.txt --no-build-isolation
	@touch $@

# Training's own libraries are found beside the toolkit's, as in the image. Its C extension, which CC=true
# leaves out, is imported with everything else, but only training on several machines calls it.
$(TOOLKIT_VENV)/done: $(TOOLKIT)/requirements.txt $(TOOLKIT)/requirements-source.txt | $(VENV)/train
	@echo "Installing AWS's training toolkit ..."
	@$(BIN)/python -m venv $(TOOLKIT_VENV)
	@$(TOOLKIT_VENV)/bin/$(LOCKED) $(TOOLKIT)/requirements.txt --only-binary=:all:
	@CC=true $(TOOLKIT_VENV)/bin/$(LOCKED) $(TOOLKIT)/requirements-source.txt --no-build-isolation
	@site=$$($(TOOLKIT_VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
		training=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
		touch "$$site/gethostname.py"; \
		echo "import site; site.addsitedir('$$training')" > "$$site/training.pth"
	@touch $@

# The lock is whole, so pip has nothing to resolve; Reeltone's own code beside it.
$(SAGEMAKER_VENV)/done: requirements/sagemaker.txt
	@echo "Installing AWS's SDK for notebooks ..."
	@$(PYTHON) -m venv $(SAGEMAKER_VENV)
	@$(SAGEMAKER_VENV)/bin/$(LOCKED) $<
	@printf '%s\n' "$(CURDIR)" "$(CURDIR)/layers/vocabulary" \
		>"$$($(SAGEMAKER_VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/reeltone.pth"
	@touch $@

$(CHECKOV_VENV)/done: requirements/checkov.txt
	@echo "Installing checkov ..."
	@$(PYTHON) -m venv $(CHECKOV_VENV)
	@$(CHECKOV_VENV)/bin/$(LOCKED) $<
	@touch $@

$(SECURITY_VENV)/done: requirements/security.txt
	@echo "Installing what looks for weaknesses ..."
	@$(PYTHON) -m venv $(SECURITY_VENV)
	@$(SECURITY_VENV)/bin/$(LOCKED) $<
	@touch $@

$(FUZZ_VENV)/done: requirements/fuzz.txt
	@echo "Installing the fuzzer ..."
	@$(PYTHON) -m venv $(FUZZ_VENV)
	@$(FUZZ_VENV)/bin/$(LOCKED) $<
	@touch $@
