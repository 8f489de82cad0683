# The menu. Needs node, npm and make; Bun comes from npm and stays in .tools.

BUN_VERSION := $(shell node -p "require('./package.json').engines.bun")
BUN_STAMP := .tools/bun-$(BUN_VERSION)
BUN := .tools/bun
SETUP := node_modules/.setup
BINARY := dist/tatum-kms

.DELETE_ON_ERROR:
.PHONY: help setup build demo test memscan check fuzz soak bench release reproduce image clean

help: ## show this menu
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s%s\n", $$1, $$2 }' Makefile

setup: $(SETUP) ## install Bun and the packages, nothing globally

build: $(BINARY) ## compile dist/tatum-kms

demo: $(BINARY) ## pay once per chain and network, against a sandbox Tatum API
	@$(BUN) scripts/demo.ts

test: $(BINARY) ## run every test; the last line is the count
	@$(BUN) scripts/test.ts

memscan: $(BINARY) ## look for secrets in the memory of the running binary (Linux, as root)
	@$(BUN) scripts/test.ts test/memscan.test.ts test/secret/residue.test.ts test/support/memory-scan.test.ts

check: $(SETUP) ## formatting, lint, types, unused code, layers
	node_modules/.bin/biome check --config-path=.biome.json
	node_modules/.bin/tsc --noEmit
	node_modules/.bin/knip --no-progress
	$(BUN) test test/layers.test.ts

fuzz: $(BINARY) ## the tests with 10,000 random cases per property
	@FC_NUM_RUNS=10000 TEST_LIMIT_MINUTES=240 $(BUN) scripts/test.ts --timeout=3600000

soak: $(BINARY) ## thousands of kills and disk faults, ten minutes of all faults at once
	KILL_RUNS=2000 FAULT_RUNS=50000 SOAK_SECONDS=600 $(BUN) test --timeout=14400000 \
		test/vault/durability.test.ts test/vault/fault-sequences.test.ts test/daemon/kill.test.ts \
		test/daemon/soak.test.ts

bench: $(BINARY) ## start time, memory and vaults of up to 500,000 wallets
	@$(BUN) scripts/bench.ts

release: $(SETUP) ## build the programs of all platforms into dist/release
	rm -rf dist/release
	@$(BUN) scripts/release.ts

reproduce: $(SETUP) ## build them once more somewhere else, and compare
	@$(BUN) scripts/reproduce.ts

image: $(BINARY) ## make dist/tatum-kms.oci.tar, a container image
	@$(BUN) scripts/image.ts

clean: ## remove everything that was built or installed here
	rm -rf dist node_modules .tools

# Bun's npm package puts its binary in place in an install script, which npm may be told to skip
# (--ignore-scripts, allowScripts): we always skip it and run that one script ourselves.
$(BUN_STAMP): package.json
	npm install --prefix .tools --no-save --no-audit --no-fund --ignore-scripts bun@$(BUN_VERSION)
	cd .tools/node_modules/bun && node install.js
	ln -sfn node_modules/bun/bin/bun.exe $(BUN)
	test "$$($(BUN) --version)" = $(BUN_VERSION)
	touch $@

$(SETUP): package.json bun.lock bunfig.toml $(BUN_STAMP)
	$(BUN) install --frozen-lockfile
	touch $@

$(BINARY): $(shell find src systemd -type f) package.json tsconfig.json scripts/build.ts scripts/compile.ts scripts/patch-runtime.ts $(SETUP)
	$(BUN) scripts/build.ts
