# The few commands of everyday work on xvdguard; `make` alone lists them.
#
# Thin on purpose: cargo knows how to build, tests/ knows how to test. T="words" runs only the
# tests whose name holds one of the words. DESTDIR, PREFIX and SYSCONFDIR are for those who make
# packages.

PREFIX = /usr
SYSCONFDIR = /etc
# Recursive, so that `make help` works where there is no Rust yet.
TRIPLE = $(shell rustc -vV | sed -n 's/^host: //p')
TARGET_DIR = $(abspath $(or $(CARGO_TARGET_DIR),target))
# Where `make build` leaves the programs; the tests that look at them find them by this name.
export XVDGUARD_BIN_DIR = $(TARGET_DIR)/programs
DOCUMENTS = $(wildcard README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE)

.PHONY: help demo test fuzz lint bench xen xen-recovery xen-package build install \
	packages packages-test clean check-fresh soak mutants

help: ## Lists these targets.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

# `cargo run` alone would not build faulty_storage, which serves the disks.
demo: ## Shows a guest on broken storage, without xvdguard and with it (root, Debian 12).
	tests/prepare
	@$(MAKE) --no-print-directory build
	cargo build --release -p xvdguard-tests --bin demo --bin faulty_storage
	@cargo run -q --release -p xvdguard-tests --bin demo

test: ## Runs all tests (root, Debian 12), or with T="words" those with such names.
	tests/prepare
	@$(MAKE) --no-print-directory build
	cargo test --workspace --no-fail-fast -- $(T)

lint: ## Judges format, Rust and shell, and whether Cargo.lock is up to date.
	cargo fetch --locked --target $(TRIPLE)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy -p xvdguard --features generate --bin xvdguard-generate -- -D warnings
	git -c safe.directory='*' ls-files -co --exclude-standard | while read -r file; do \
		if head -qn 1 "$$file" | grep -aqE '^#!.*[/ ](ba|da|a)?sh( |$$)'; then echo "$$file"; fi; \
	done | xargs -rd '\n' shellcheck

bench: ## Measures, and writes BENCHMARKS.md (root, Debian 12); with T="words" only some.
	tests/prepare
	@$(MAKE) --no-print-directory build
	cargo run --release -p xvdguard-tests --bin bench -- $(T)

# Not as released: with the checks for overflow.
fuzz: ## Tries broken input on every parser, for T seconds or until it fails.
	cargo run -q -p xvdguard-tests --bin fuzz -- --results tests/fuzz/RESULTS.md \
		$(if $(T),--seconds $(T))

# Beyond the seeds of `make test`. A seed that fails prints itself, and XVDGUARD_SEED=N make test
# T="one_seed" steps through it.
soak: ## Plays 100,000 more guests, or SEEDS=, against the daemon's decisions, and notes it.
	XVDGUARD_FIRST_SEED=10000 XVDGUARD_SEEDS=$(or $(SEEDS),100000) \
		cargo test -p xvdguard-tests --test simulation -- --nocapture no_seed
	echo "| $$(date -I) | $$(git rev-parse --short HEAD) | 10000 to $$((9999 + $(or $(SEEDS),100000))) |" \
		>> tests/simulation/RESULTS.md

# Not judged by its exit code: that a bug is missed is what it is there to find. Round-robin: every
# file has its share of a part. An hour and a half on two processors.
mutants: ## Plants one in PART=25 of all bugs of one token in what decides; notes what was missed.
	cargo mutants --version || cargo install --locked cargo-mutants
	-XVDGUARD_SEEDS=400 nice cargo mutants --config tests/mutants/mutants.toml \
		--output $(TARGET_DIR) --baseline skip --timeout 240 \
		--sharding round-robin --shard 0/$(or $(PART),25) \
		--test-package xvdguard-logic --test-package xvdguard-tests
	tests/mutants/note $(TARGET_DIR)/mutants.out $(or $(PART),25) >tests/mutants/RESULTS.md

# One of all with SCENARIO=name KERNEL=6.1. The programs are those of the packages: what this machine
# builds for itself runs in no guest with an older glibc.
xen: ## Proves early boot on a real Xen in QEMU (root, Debian 12); all, or SCENARIO= KERNEL=.
	tests/prepare
	packaging/prepare
	packaging/build amd64 $(TARGET_DIR)/packages/programs-amd64
	cargo build -p xvdguard-tests --bin xen
	@XVDGUARD_BIN_DIR=$(TARGET_DIR)/packages/programs-amd64 \
		SCENARIO="$(SCENARIO)" KERNEL="$(KERNEL)" $(TARGET_DIR)/debug/xen

xen-recovery: ## Shows what the daemon does on a real Xen (root, Debian 12), or SCENARIO= KERNEL=.
	@$(MAKE) --no-print-directory xen SCENARIO="$(or $(SCENARIO),recovery)"

xen-package: ## Shows the package, and images in which it is broken, on a real Xen, likewise.
	@$(MAKE) --no-print-directory xen SCENARIO="$(or $(SCENARIO),package)"

# One package at a time: built together, the early program would get the daemon's features.
build: ## Builds the programs as they are shipped, the early one static, and their manual.
	cargo build --release --target $(TRIPLE) -p xvdguard
	RUSTFLAGS="$(RUSTFLAGS) -C target-feature=+crt-static" \
		cargo build --profile early --target $(TRIPLE) -p xvdguard-early
	@install -D -t $(XVDGUARD_BIN_DIR) \
		$(addprefix $(TARGET_DIR)/$(TRIPLE)/,release/xvdguard early/xvdguard-early)
	initramfs/early/slim $(XVDGUARD_BIN_DIR)/xvdguard-early
	cargo run -q -p xvdguard --features generate --bin xvdguard-generate -- \
		$(XVDGUARD_BIN_DIR)/manual

# The one list of what is installed where; packages are made of it.
LIB = $(DESTDIR)$(PREFIX)/lib
SHARE = $(DESTDIR)$(PREFIX)/share
DRACUT = $(LIB)/dracut/modules.d/90xvdguard
INITRAMFS_TOOLS = $(SHARE)/initramfs-tools

# Packages bring programs along: PREBUILT is their folder.
PROGRAMS = $(or $(PREBUILT),$(XVDGUARD_BIN_DIR))

install: $(if $(PREBUILT),,build) ## Installs everything below DESTDIR.
	install -D -t $(DESTDIR)$(PREFIX)/sbin $(PROGRAMS)/xvdguard
	install -D -t $(LIB)/xvdguard $(PROGRAMS)/xvdguard-early \
		initramfs/within-limit initramfs/root-options initramfs/queue-limits \
		initramfs/sysroot-options packaging/second-chance
	install -D initramfs/initramfs-tools/hook $(INITRAMFS_TOOLS)/hooks/xvdguard
	install -D initramfs/initramfs-tools/local-premount \
		$(INITRAMFS_TOOLS)/scripts/local-premount/xvdguard
	install -D -t $(DRACUT) $(wildcard initramfs/dracut/*.sh)
	install -D -m 0644 initramfs/mkinitcpio/install $(LIB)/initcpio/install/xvdguard
	install -D -m 0644 initramfs/mkinitcpio/hook $(LIB)/initcpio/hooks/xvdguard
	install -m 0644 -t $(LIB)/xvdguard initramfs/xvdguard-sysroot.service
	install -D -m 0644 -t $(LIB)/udev/rules.d udev-rules/60-xvdguard.rules
	install -D -m 0644 -t $(LIB)/systemd/system $(wildcard packaging/systemd/*.service)
	install -D -m 0644 -t $(LIB)/systemd/system-preset packaging/systemd/50-xvdguard.preset
	install -D -m 0644 packaging/tmpfiles.conf $(LIB)/tmpfiles.d/xvdguard.conf
	install -D -t $(DESTDIR)$(SYSCONFDIR)/init.d $(wildcard packaging/sysvinit/*)
	for page in $(PROGRAMS)/manual/man/*; do \
		install -D -m 0644 -t $(SHARE)/man/man$${page##*.} "$$page" || exit; done
	install -D -m 0644 -t $(SHARE)/bash-completion/completions $(PROGRAMS)/manual/bash/xvdguard
	install -D -m 0644 -t $(SHARE)/zsh/vendor-completions $(PROGRAMS)/manual/zsh/_xvdguard
	install -D -m 0644 -t $(SHARE)/fish/vendor_completions.d $(PROGRAMS)/manual/fish/xvdguard.fish
	install -D -m 0644 -t $(SHARE)/doc/xvdguard $(DOCUMENTS)
	install -d $(DESTDIR)$(SYSCONFDIR)/xvdguard/config.d $(DESTDIR)/var/lib/xvdguard
# What an administrator changed is not written over.
	test -e $(DESTDIR)$(SYSCONFDIR)/xvdguard/config.toml || \
		install -D -m 0644 -t $(DESTDIR)$(SYSCONFDIR)/xvdguard packaging/config.toml

# xvdguard for glibc 2.17 and newer, xvdguard-early static; the same bytes from the same source.
packages: ## Makes the .deb and the .rpm, for ARCH (amd64, arm64) or both, in target/packages.
	packaging/prepare
	for arch in $(or $(ARCH),amd64 arm64); do \
		packaging/build $$arch $(TARGET_DIR)/packages/programs-$$arch && \
		for kind in deb rpm; do packaging/pack $$kind $$arch \
			$(TARGET_DIR)/packages/programs-$$arch $(TARGET_DIR)/packages || exit; done || exit; \
	done

packages-test: ## Installs, upgrades and removes the packages in chroots (root, Debian 12).
	tests/prepare
	@$(MAKE) --no-print-directory packages
	rm -f $(TARGET_DIR)/packages/results
	git rev-parse --short=12 HEAD >$(TARGET_DIR)/packages/commit
	XVDGUARD_FORBID_SKIP=1 XVDGUARD_PACKAGES=$(TARGET_DIR)/packages \
		XVDGUARD_BIN_DIR=$(TARGET_DIR)/packages/programs-amd64 cargo test -p xvdguard-tests --test packages -- \
		--test-threads=1
	{ printf '# The packages in chroots (make packages-test)\n\n## %s, commit %s\n\n' \
		"$$(date -u +'%F %R UTC')" "$$(cat $(TARGET_DIR)/packages/commit)"; \
		printf '| system | image by | compressed by | bytes before | grows by | exposure | |\n'; \
		echo '|---|---|---|---|---|---|---|'; \
		sort $(TARGET_DIR)/packages/results; } >packaging/RESULTS.md

clean: ## Removes everything that was built.
	cargo clean

check-fresh: ## Lints, tests and shows the last commit in a new clone, as strangers would.
	clone=$$(mktemp -d) && trap 'rm -rf "$$clone"' EXIT INT TERM && \
		git clone -q . "$$clone/xvdguard" && \
		env -u CARGO_TARGET_DIR $(MAKE) -C "$$clone/xvdguard" lint test demo
