# Pando's front door: every command a person needs. `make help` lists them.

PRESET ?= release
BUILD = build/$(PRESET)
JOBS ?= $(shell nproc)
MINUTES ?= 10

SEEDS ?= 1..1
ROUNDS ?= 200
NODES ?= 3
NETWORK ?= proxies
CORPUS ?= ../shared/slt

.PHONY: help packages build demo demo-cluster faults bench-cluster bench-consensus test lint format tidy bench slt differential crash hunt hunt-cluster mutants cluster-mutants specs clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

packages:  ## install what is missing from Debian (needs root or sudo)
	@tools/install_packages.sh

build: packages  ## build everything; leaves build/release/pando
	@mkdir -p build
	@cmake --preset $(PRESET) > $(BUILD).configure.log 2>&1 || { cat $(BUILD).configure.log; exit 1; }
	@cmake --build $(BUILD) -j $(JOBS) $(if $(TARGET),--target $(TARGET))

demo: build  ## a tour of the embedded database and the server, with real output
	@examples/demo/run.sh $(BUILD)

test: build  ## build and run the whole suite
	@cd $(BUILD) && ctest --output-on-failure --timeout 1500 -j 1

demo-cluster: build  ## three nodes; kills the leader under load and says what was lost and how long writes stopped
	@/usr/bin/python3 test/cluster/demo.py $(BUILD)/pando

faults: build  ## every failure mode on a real cluster of NODES nodes: what was lost, and the longest unavailability
	@/usr/bin/python3 test/cluster/faults.py $(BUILD)/pando --nodes $(NODES) --network $(NETWORK)

bench-cluster: build  ## three nodes beside three etcd nodes; prints ratios
	@/usr/bin/python3 bench/cluster/cluster_bench.py $(BUILD)/pando

bench-consensus: build  ## three Raft cores in memory beside libraft; what 10,000 idle groups cost a node
	@$(BUILD)/bench/consensus/raft_bench
	@$(BUILD)/bench/consensus/idle_groups_bench 10000 60
	@$(BUILD)/bench/replica/idle_shards_bench 10000 60

slt: build  ## the sqllogictest files below CORPUS, on a fresh server
	@test/slt/run.sh $(BUILD) $(CORPUS)

differential: build  ## the statements of SEEDS on PostgreSQL 15 and on Pando
	@test/differential/differential.py $(BUILD)/pando --seeds $(SEEDS) --report $(BUILD)/differential.txt

crash: build  ## ROUNDS rounds of kill -9 under load
	@test/crash/run.sh $(BUILD) $(ROUNDS)

hunt: PRESET = debug
hunt: TARGET = pando_sim_run
hunt: build  ## simulate for MINUTES, from the first of SEEDS on, with fault sites compiled in
	@$(BUILD)/test/sim/pando_sim --minutes $(MINUTES) --seeds $(SEEDS) --probes

hunt-cluster: build  ## simulate whole clusters with SQL clients for MINUTES, from the first of SEEDS on
	@nice -n 19 $(BUILD)/test/cluster_sim/pando_cluster_sim --minutes $(MINUTES) --seeds $(SEEDS) --probes

cluster-mutants:  ## plant each bug of test/cluster_sim/mutants and show that the simulated cluster catches it
	@test/cluster_sim/mutants/run.py

mutants: packages  ## plant each bug of test/sim/mutants and show that the simulator catches it
	@test/sim/mutants/run.py

specs:  ## check the model of leases and liveness with spin
	@docs/specs/check_specs.sh

lint:  ## the layer law and the house rules
	@python3 test/lint/lint.py
	@python3 test/lint/lint_test.py

format:  ## format every source file
	@git ls-files '*.h' '*.cc' | xargs clang-format-19 -i

tidy:  ## clang-tidy over the files changed since origin/main, or since BASE
	@tools/tidy_changed.sh $(BUILD) $(BASE)

bench: build  ## measure against PostgreSQL and SQLite on this machine; prints ratios
	@bench/run_all.sh $(BUILD)

clean:  ## remove all build output
	@rm -rf build
