# make build | demo | test | fuzz | fuzz-guided | torture | nonces | bench | compat | install | package | clean; see README.md.
PREFIX ?= /usr/local
DESTDIR ?=
COMPLETIONS ?= $(PREFIX)/share
CONFIGURATION ?= Release
OUT := out
LIB := $(OUT)/lib/overlay
DOTNET := dotnet
PROPERTIES :=
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1

SOURCES := $(shell find crypto metadata overlay shim tools -name obj -prune -o -name bin -prune -o \( -name '*.cs' -o -name '*.csproj' \) -print) \
           Directory.Build.props Directory.Packages.props $(wildcard docs/man/*.roff)

build: setup-build $(LIB)/liboverlay-shim.so $(LIB)/liboverlay-engine.so $(OUT)/bin/overlay-ctl

# What the machine lacks is installed where we are root, and named where not.
setup-build:
	@tools/setup.sh build

setup-test:
	@tools/setup.sh build test

setup-package:
	@tools/setup.sh package

$(LIB)/liboverlay-shim.so: $(wildcard $(foreach f,. tool start,$(addprefix shim/native/$(f)/,*.c *.h *.S)) shim/native/Makefile shim/native/shim.map)
	$(MAKE) -s -C shim/native OUT=$(CURDIR)/$(LIB)

$(LIB)/liboverlay-engine.so: $(SOURCES) $(wildcard shim/runtime/*.c)
	$(DOTNET) publish shim/liboverlay-engine.csproj -c $(CONFIGURATION) $(PROPERTIES) -v q -o $(OUT)/stage/engine
	@mkdir -p $(LIB)
	@cp -f $(OUT)/stage/engine/libsodium.so $(LIB)/libsodium.so.new && mv -f $(LIB)/libsodium.so.new $(LIB)/libsodium.so
	@cp -f $(OUT)/stage/engine/liboverlay-engine.so $@.new && mv -f $@.new $@

$(OUT)/bin/overlay-ctl: $(SOURCES) | $(LIB)/liboverlay-engine.so
	$(DOTNET) publish tools/overlay-ctl/overlay-ctl.csproj -c $(CONFIGURATION) $(PROPERTIES) -v q -o $(OUT)/stage/ctl
	@mkdir -p $(OUT)/bin $(LIB)
	@cp -f $(OUT)/stage/ctl/libe_sqlite3.so $(LIB)/libe_sqlite3.so.new && mv -f $(LIB)/libe_sqlite3.so.new $(LIB)/libe_sqlite3.so
	@cp -f $(OUT)/stage/ctl/overlay-ctl $@.new && mv -f $@.new $@

demo: build setup-test
	@tests/programs/demo.sh

test: build recording setup-test
	@tests/run.sh

# The same tree, but it writes down every nonce that it seals with; for tests alone.
recording: setup-build
	@$(MAKE) --no-print-directory build OUT=$(OUT)/recording PROPERTIES=-p:OverlayRecordNonces=true

# Every seal of the torture, of forks and kills, and of a restored volume: no (key, nonce) comes twice. make nonces ITERATIONS=5
nonces: build recording setup-test
	@tests/torture/nonces.sh $(if $(ITERATIONS),--iterations $(ITERATIONS)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

# make fuzz ARGS='--minutes 60 --seed 7'
fuzz: build setup-test
	@tests/fuzz/run.sh $(ARGS)

# Guided by coverage, with afl++ (to be installed): make fuzz-guided MINUTES=10, for each target.
fuzz-guided: setup-build
	@tests/fuzz/guided.sh --minutes $(or $(MINUTES),2)

# The same kills, forks and signals as in `make test`, for longer: make torture MINUTES=30 [SEED=...] or ITERATIONS=10. Each failure says its seed.
torture: build setup-test
	@tests/torture/run.sh $(if $(ITERATIONS),--iterations $(ITERATIONS),--minutes $(or $(MINUTES),10)) $(if $(SEED),--seed $(SEED))

# Writes docs/benchmarks.md; a part of it, or a try: make bench ARGS='--quick --side gocryptfs --workload random'
bench: build setup-test
	@tests/bench/bench.sh $(or $(ARGS),--document docs)

# Suites, servers and tools of others, plain against Overlay; hours. One of them: tests/compat/run.sh NAME
compat: build setup-test
	@status=0; tests/compat/run.sh || status=1; \
	tests/compat/lib/report.py tests/compat/suites $(OUT)/compat docs/compatibility.md; exit $$status

install: build install-built

# The tree as it is, without building: for who packages it.
install-built:
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/overlay
	install -m 755 $(OUT)/bin/overlay-ctl $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(LIB)/*.so $(LIB)/overlay-start $(LIB)/overlay-copy $(LIB)/overlay-exec $(DESTDIR)$(PREFIX)/lib/overlay/
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(COMPLETIONS)/bash-completion/completions $(DESTDIR)$(COMPLETIONS)/zsh/site-functions $(DESTDIR)$(COMPLETIONS)/fish/vendor_completions.d
	$(OUT)/bin/overlay-ctl man --output $(DESTDIR)$(PREFIX)/share/man/man1
	chmod 644 $(DESTDIR)$(PREFIX)/share/man/man1/overlay-ctl*.1
	$(OUT)/bin/overlay-ctl completion bash >$(DESTDIR)$(COMPLETIONS)/bash-completion/completions/overlay-ctl
	$(OUT)/bin/overlay-ctl completion zsh >$(DESTDIR)$(COMPLETIONS)/zsh/site-functions/_overlay-ctl
	$(OUT)/bin/overlay-ctl completion fish >$(DESTDIR)$(COMPLETIONS)/fish/vendor_completions.d/overlay-ctl.fish

# A tarball, a Debian package and their checksums in out/package
package: build setup-package
	@tools/package/make.sh

# Install, use, upgrade and purge in a minimal Debian, which debootstrap makes; outside of `make test`, since that takes a minute and the network.
test-packages: package
	@tools/setup.sh root
	@tests/containers/packages.sh

# The image, docs/containers.md as it stands, several containers on one volume; the manifests and the chart. SUITES=trixie: in other images as well
test-containers: build
	@tools/setup.sh root boxes
	@status=0; for suite in containers kubernetes; do tests/containers/$$suite.sh || status=1; done; exit $$status

clean:
	rm -rf $(OUT) shim/native/obj
	find . -type d \( -name bin -o -name obj \) -not -path './.git/*' -prune -exec rm -rf {} +

.PHONY: build recording nonces setup-build setup-test setup-package demo test fuzz fuzz-guided torture bench install install-built package test-packages test-containers clean
