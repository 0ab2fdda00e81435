# One verb each; `make help` lists them. What is installed goes into .venv, what is made into out/, nothing outside is touched.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
# One place decides which Redis: it prints its choice and runs the command with REDIS_URL set.
WITH_REDIS = $(BIN)/python -m redisipc_conformance.server --
# The folders that have tests, from those that are there.
PARTS := $(sort $(foreach file,$(wildcard */tests/test_*.py),$(firstword $(subst /, ,$(file)))))
RUNTIMES := threads asyncio
# Each runtime twice: with groups, and as a caller that has none.
TESTEES := $(RUNTIMES) $(RUNTIMES:%=%-ask)
NODE_TESTEE := interop/node/dist/testee.js
N ?= 1000000
# Whose sentences are short and plain; more are welcome.
ENGLISH_IN := "*.md" "*.py" "conformance/scenarios/*.yaml" "conformance/mutants/*.yaml" "interop/ruby/*.yaml"
ENGLISH := $(filter-out conformance/mutants/%.py %/results.md,$(shell git ls-files $(ENGLISH_IN)))

.DEFAULT_GOAL := help
.PHONY: help test suites lint format conformance double fidelity mutants demo simulate storm model chaos fuzz flaky interop interop-ruby node node-lint node-tests node-ask bench bench-store bench-quick requirements clean

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

$(READY): python/pyproject.toml conformance/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed; name one with PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable 'python[test,hiredis,examples]' --editable 'conformance[test]' 'ruff==0.17.*' 'mypy==2.4.*' 'pyright==1.1.*'
	@# The suite starts hundreds of testees: without this each compiles the library again where byte code is not written.
	$(BIN)/python -m compileall -q python/src conformance/src
	@touch $@

# The main job

# One run after the other: a bound of 0.3 s is no test of a testee that another run keeps from the processor.
# The suite chooses its Redis itself, in the same order: a server at a URL is not its own to stop or flush.
conformance: $(READY) ## run the suite against both Python runtimes; the report is out/conformance.html (THOROUGH=1: also the long checks)
	@mkdir -p out
	@code=0; $(MAKE) --no-print-directory --keep-going $(TESTEES:%=conformance-%) || code=$$?; \
	$(BIN)/redisipc-conformance report merge $(TESTEES:%=out/conformance-%.json) --report html=out/conformance.html --spec-url ../SPEC.md && exit $$code

conformance-%: TESTEE = $(BIN)/python python/testee/testee.py --runtime $(subst -ask, --ask,$*)
conformance-%:
	$(BIN)/redisipc-conformance run $(if $(THOROUGH),--thorough) --report json=out/$@.json -- $(TESTEE)

# The same tests as in suite-python, so that the double is held to account.
double: $(READY) ## run the library's own tests over the double of redisipc.testing, without a Redis
	cd python && ../$(BIN)/python -m pytest -q $(SIDE_BY_SIDE) --double tests/channel tests/runtime

fidelity: $(READY) ## run the suite over the model of Redis in redisipc.testing; it fails if fewer checks pass than stored (FIDELITY=--write stores a new number)
	@mkdir -p out
	@for testee in $(TESTEES); do \
	$(BIN)/redisipc-conformance run --redis model --thorough --report json=out/fidelity-$$testee.json -- $(BIN)/python python/testee/testee.py \
		--runtime $${testee%-ask} $$(case $$testee in *-ask) echo --ask;; esac); done
	cd python && ../$(BIN)/python -m tests.testing.fidelity $(FIDELITY) $(TESTEES:%=../out/fidelity-%.json)

# PART=540: begins nothing after so many seconds; the next such run goes on where this one ended.
mutants: $(READY) ## check the suite: it must find each fault in a model testee and in the real ports (PART=540: begin nothing after so many seconds)
	@code=0; for part in run real; do $(BIN)/python conformance/mutants/$$part.py $(if $(PART),--seconds $(PART)) || code=$$?; done; exit $$code

# TIMES=15 runs of each testee; PART=540: begins nothing after so many seconds, the next such call continues; SUM=1: the table alone.
flaky: $(READY) ## run the suite many times, with other scales, jobs, delays and loads (SERVERS="auto redis:8"; PART=540: in parts; LOADED=1: others keep the machine busy); totals are in out/flaky.json
	$(BIN)/python conformance/flaky.py $(if $(TIMES),--times $(TIMES)) $(if $(BOUNDED),--bounded $(BOUNDED)) $(if $(PART),--seconds $(PART)) $(if $(SERVERS),--servers "$(SERVERS)") $(if $(LOADED),--loaded) $(if $(SUM),--sum)

# Checks

# A suite waits more than it computes. What two of them say is kept apart where make can do that.
TWO_AT_A_TIME = -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

test: $(READY) ## run lint, type checks and all tests
	@code=0; $(MAKE) --no-print-directory lint || code=$$?; \
	$(WITH_REDIS) $(MAKE) --no-print-directory --keep-going $(TWO_AT_A_TIME) suites || code=$$?; exit $$code

suites: $(PARTS:%=suite-%)

# Most of what these test is waiting for processes and servers of their own: four files at a time, the longest (marked slow) first.
suite-conformance suite-python double: SIDE_BY_SIDE = -n 4 --dist loadfile --no-loadscope-reorder
suite-%:
	cd $* && ../$(BIN)/python -m pytest -q $(SIDE_BY_SIDE)

lint: $(READY) ## run ruff and mypy --strict, and check that generated files are up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	cd python && ../$(BIN)/mypy && ../$(BIN)/mypy --strict examples && ../$(BIN)/mypy --strict -p chaos
	cd conformance && ../$(BIN)/mypy
	cd conformance/mutants && ../../$(BIN)/mypy --config-file ../pyproject.toml testee.py null.py run.py real.py
	cd interop && ../$(BIN)/mypy --strict ruby/converse.py ruby/publish.py ruby/rows.py matrix/run.py talk tests
	cd tools && ../$(BIN)/mypy
	cd fuzz && ../$(BIN)/mypy
	@$(BIN)/python tools/english.py $(ENGLISH)
	@$(BIN)/python tools/english.py --messages $(shell git ls-files "python/src/*.py" "conformance/src/*.py")
	@for tool in $(wildcard tools/requirements.py tools/diagrams.py tools/llms.py); do $(BIN)/python $$tool --check || exit 1; done

format: $(READY) ## repair what ruff can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

simulate: $(READY) ## simulate N=1000000 requests with faults; a failing seed says how to replay it
	cd python && ../$(BIN)/python -m tests.simulation --requests $(N)

model: $(READY) ## try every schedule of small worlds with the real core, also without each of its rules; under a minute on two idle cores
	cd python && ../$(BIN)/python -m tests.exhaustive

# PYTHONS: others that have redis installed (and gevent, uvloop, for the storms under these).
storm: SEEDS = 4
storm: COUNT = 1000
storm: $(READY) ## interrupt programs by signal handlers, finalizers and exceptions at any moment (SEEDS=4 COUNT=1000, on each of PYTHONS)
	cd python && ../$(WITH_REDIS) ../$(BIN)/python -m tests.runtime.storm --seeds $(SEEDS) --count $(COUNT) $(PYTHONS:%=--python %) $(STORM)

fuzz: $(READY) ## try N=1000000 odd inputs on all code that reads data of others; inputs that fail are kept in out/fuzz
	cd fuzz && PYTHONPATH=../python/tests ../$(BIN)/python -m fuzzing --inputs $(N)

# Real processes, servers and faults. SERVERS: programs or images, by spaces. ONLY: names of faults. TIMES=2: each alone, twice; without, all mixed.
# QUICK=1: eleven kinds, each once, the same every time: for CI.
# MINUTES=55: run after run of N requests, the kinds that struck least first; goes on from out/chaos/results.jsonl. RATE=500: requests a second, BURST at once.
chaos: N = 6000
chaos: BURST = 1
chaos: $(READY) ## send N=6000 requests between real processes under real faults (SERVERS="redis-server redis:6.2" SEED=1 ONLY="cut-all oom" TIMES=1; MINUTES=55: for that long, in parts; QUICK=1: for a minute; SUM=1: print the totals of all runs)
	@if [ -z "$(SUM)" ] && node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' 2>/dev/null && npm --version >/dev/null 2>&1; then $(MAKE) --no-print-directory $(NODE_TESTEE); fi
	cd python && ../$(BIN)/python -m chaos $(if $(SUM),--sum,--requests $(N) $(if $(SERVERS),--servers "$(SERVERS)") $(if $(SEED),--seed $(SEED)) \
		$(if $(ONLY),--only "$(ONLY)") $(if $(TIMES),--times $(TIMES)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(RATE),--rate $(RATE) --burst $(BURST)) $(if $(QUICK),--quick)) $(CHAOS)

# To look at

demo: $(READY) ## run the gem's parent and child as two processes, and show what goes over the wire
	@$(WITH_REDIS) $(BIN)/python python/examples/demo.py

interop-ruby: $(READY) ## let Python and the Ruby gem talk on one stream (RUBY=... names the ruby that has the gem)
	$(WITH_REDIS) $(BIN)/python interop/ruby/converse.py

# QUICK=1: pairs of two languages only (of the Python runtimes, if no other language is at hand), and nothing that takes long.
interop: $(READY) ## let every implementation at hand talk to every other one (RUBY=... as above; QUICK=1: fewer scenes)
	@if node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' 2>/dev/null && npm --version >/dev/null 2>&1; then $(MAKE) --no-print-directory $(NODE_TESTEE); fi
	@$(WITH_REDIS) $(BIN)/python interop/matrix/run.py $(if $(QUICK),--quick); code=$$?; \
	runs="$(wildcard out/conformance-*.json)"; [ -z "$$runs" ] || $(BIN)/redisipc-conformance report merge $$runs \
		--interop out/interop.json --report html=out/conformance.html --spec-url ../SPEC.md >/dev/null; exit $$code

node: $(NODE_TESTEE) ## build and check the Node.js port: lint, types, tests (REDIS_URL=...: also those over Redis), profile ask
	@$(MAKE) --no-print-directory -j2 node-lint node-tests node-ask

$(NODE_TESTEE): $(wildcard interop/node/*.json) $(shell find interop/node/src interop/node/testee -name '*.ts')
	cd interop/node && { npm ci --silent || npm install --silent; } && npm run --silent build
	@touch $@

node-lint:
	cd interop/node && npx eslint .

NODE_TEST = node --test --test-reporter=dot --test-reporter-destination=stdout \
	--test-reporter=./build/test/failed-files.js --test-reporter-destination=build/failed

# NODE_TEST_AGAIN=1: the files in which a test failed are run a second time, one after the other.
node-tests:
	cd interop/node && npx tsc -p tsconfig.test.json && { $(NODE_TEST) build/test/ || { [ -n "$$NODE_TEST_AGAIN" ] && [ -s build/failed ] && \
		echo "failed once, and tried a second time:" && cat build/failed && node --test --test-concurrency=1 --test-reporter=spec $$(cat build/failed); }; }
	@[ -n "$$REDIS_URL" ] || echo "The tests over Redis were left out: REDIS_URL is not set."

node-ask: $(READY)
	$(BIN)/redisipc-conformance run --profile ask -- node $(NODE_TESTEE) --ask

.venv/bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable 'python[test,hiredis,bench]'
	@touch $@

bench: .venv/bench ## measure all contenders in one run; table, JSON and picture go to out/
	cd python && ../$(BIN)/python -m benchmarks --picture ../out/bench.svg

bench-store: .venv/bench ## run make bench, and store its result, with its figures and its picture in the README
	cd python && ../$(BIN)/python -m benchmarks --store --picture benchmarks/latency-by-load.svg

bench-quick: $(READY) ## measure redisipc beside the floor in under a minute, and compare with the stored run
	cd python && ../$(BIN)/python -m benchmarks --quick

# What is generated

requirements: $(READY) ## generate schemas/requirements.json from SPEC.md, SPEC.md's drawings from schemas/1.0/tables, and llms-full.txt
	$(BIN)/python tools/requirements.py
	$(BIN)/python tools/diagrams.py
	$(BIN)/python tools/llms.py

.venv/schemas: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'datamodel-code-generator==0.89.*' 'pydantic>=2.6,<3'
	@touch $@

.PHONY: schemas
schemas: .venv/schemas ## generate types from schemas/ (pydantic, TypeScript); they must compile, and refuse an object that lacks a member
	cd tools && ../$(BIN)/python -m pytest -q generators

.venv/dist: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'build>=1.2' 'twine>=6' 'check-wheel-contents>=0.6'
	@touch $@

.PHONY: dist
dist: .venv/dist ## build all packages from a clean copy, check them, install them into fresh environments, try them; they go to out/dist
	$(WITH_REDIS) env PYTHONPATH=tools $(BIN)/python -m packages

clean: ## remove what make has made
	rm -rf .venv out
