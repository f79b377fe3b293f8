# culld. A newcomer needs two commands: `make run` and `make test`.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
CONFIG := photos/culld.yaml

.PHONY: help run test lint fault metadata programs service-test bench bench-web accuracy explain subject cam-loss compare-bench enhance-bench segment-bench clips-bench archive-bench lock clean

help:  ## list the targets
	@echo "make run    install culld into .venv, start it on photos/inbox, and print the address of the review page"
	@echo "make test   install the test dependencies and run all tests"
	@echo "make lint   run ruff, mypy and the import contracts"
	@echo "make fault  run the tests with kills, disk errors and floods: writes tests/fault/RESULTS.md (two hours)"
	@echo "make metadata  tag real and generated photos, and check them with exiftool: writes tests/metadata/RESULTS.md"
	@echo "make programs  run photo programs on tagged photos, and read what they show (root: installs them): tests/programs/RESULTS.md"
	@echo "make service-test  install, use, break and remove the service on a booted Debian (root; four minutes)"
	@echo "make bench  measure speed and memory of culld and its peers: writes tests/bench/RESULTS.md (20 minutes)"
	@echo "make bench-web  measure the review page in Chromium: writes tests/bench/PAGE.md (10 minutes)"
	@echo "make explain  measure how far heat maps can be trusted: writes models/defects/explain.md (SHARED=DIR)"
	@echo "make accuracy  evaluate the model and its peers: writes models/defects/*.md (an hour; SHARED=DIR; CHECK=1: compares)"
	@echo "make subject [BEFORE=REVISION]  measure faces, focus, sharpness, exposure and series (two hours; SHARED=DIR)"
	@echo "make cam-loss  train networks whose heat maps lie where they are told: writes models/cam-loss/ (SHARED=DIR; 20 minutes)"
	@echo "make compare-bench  measure the models of change: writes models/compare/, and a page in runs/compare/ (SHARED=DIR)"
	@echo "make enhance-bench  measure repairs beside their rivals: writes docs/benchmarks.md, models/restore-*/table.md (SHARED=DIR)"
	@echo "make segment-bench  measure the regions that culld segment finds: writes models/segment/table.md (SHARED=DIR)"
	@echo "make clips-bench  measure how clips of a camera model are judged: writes tests/bench/CLIPS.md (SHARED=DIR; 10 minutes)"
	@echo "make archive-bench  measure archives: writes tests/bench/ARCHIVE.md (PHOTOS=DIR; ARCHIVES=DIR keeps drawn rows; an hour)"
	@echo "make lock   update the locked dependencies (for developers)"

run: .venv/.run $(CONFIG)  ## start the daemon on photos/inbox, and the review page, whose address is printed
	@{ until [ -e photos/state/journal.sqlite3 ]; do sleep 0.2; done; exec $(BIN)/culld web --config $(CONFIG); } & page=$$!; \
	trap 'kill $$page 2> /dev/null || :' EXIT INT TERM; $(BIN)/culld run --config $(CONFIG)

test: .venv/.dev  ## run all tests, in two processes
	$(BIN)/pytest -n 2 --dist worksteal

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fault: .venv/.dev  ## kills, errors, floods, races: tests/fault/RESULTS.md
	$(BIN)/python tests/fault/report.py $(if $(ONLY),--only $(ONLY))

metadata: .venv/.dev  ## tags as other programs read them: tests/metadata/RESULTS.md
	$(BIN)/python tests/metadata/report.py

programs: .venv/.dev  ## keywords, marks and stars in photo programs: tests/programs/RESULTS.md
	$(BIN)/python tests/programs/report.py

service-test: .venv/.dev  ## the service on a booted Debian, as root: tests/system/RESULTS.md
	CULLD_SERVICE_RESULTS=tests/system/RESULTS.md $(BIN)/pytest tests/system/test_service.py

bench: .venv-bench/.done .venv/.dev  ## culld, its peers and the floor: tests/bench/RESULTS.md
	.venv-bench/bin/python tests/bench/run.py --python $(BIN)/python

bench-web: .venv/.dev  ## the review page in Chromium: tests/bench/PAGE.md
	$(BIN)/python tests/bench/page_speed.py --out tests/bench/PAGE.md

SHARED ?= ../shared
PHOTOS ?= $(SHARED)/photos
accuracy: .venv-bench/.done .venv/.dev  ## the model and its peers, its verdicts, and each source by others: models/defects/*.md
	PYTHONPATH=tests $(BIN)/python -m bench.accuracy models/defects --photos "$(PHOTOS)" \
	  --real-exposure "$(SHARED)/real-exposure" --cleanvision .venv-bench/bin/python $(if $(CHECK),--check)
	PYTHONPATH=tests $(BIN)/python -m bench.verdicts models/defects models/defects-2 --shared "$(SHARED)" $(if $(CHECK),--print)
	$(if $(CHECK),,PYTHONPATH=tests $(BIN)/python -m bench.accuracy.leave_out models/defects --photos "$(PHOTOS)" \
	  --real "$(SHARED)/more" --weights "$(SHARED)/weights/mobilenetv2_imagenet.npz")

subject: export OPENBLAS_NUM_THREADS := 1  # small matrices: more threads only wait for each other
subject: .venv-bench/.done .venv/.dev  ## faces, missed focus, sharpness, exposure, series and their cost: prints the tables
	PYTHONPATH=tests $(BIN)/python -m bench.faces $(SHARED)/photos --weights $(SHARED)/weights/yunet_n_640.onnx
	PYTHONPATH=tests $(BIN)/python -m bench.missed_focus $(SHARED)/photos
	PYTHONPATH=tests $(BIN)/python -m bench.sharpness --photos $(SHARED)/photos --camera $(SHARED)/camera/dresden
	PYTHONPATH=tests $(BIN)/python -m bench.verdicts models/defects --shared $(SHARED) --print
	PYTHONPATH=tests $(BIN)/python -m bench.series models/defects --shared $(SHARED)
	$(if $(BEFORE),$(BIN)/python tests/bench/subject_cost.py --before $(BEFORE))

explain: .venv/.dev  ## the heat maps of the model: models/defects/explain.md
	PYTHONPATH=tests $(BIN)/python -m bench.explain models/defects --photos "$(PHOTOS)"

cam-loss: .venv/.dev  ## the experiment on heat maps, with three seeds: models/cam-loss/report.md
	PYTHONPATH=tests $(BIN)/python -m bench.cam_loss models/cam-loss --photos "$(PHOTOS)" \
	  --weights "$(SHARED)/weights/mobilenetv2_imagenet.npz"

compare-bench: .venv/.dev  ## every model of change on one set: models/compare/, runs/compare/index.html
	OMP_NUM_THREADS=1 $(BIN)/culld compare bench --photos "$(PHOTOS)" --out runs/compare
	@mkdir -p models/compare && cp runs/compare/results.json runs/compare/table.md models/compare/

enhance-bench: .venv/.dev  ## repairs of compression and of exposure: models/restore-*/table.md, docs/benchmarks.md
	PYTHONPATH=tests $(BIN)/python -m bench.enhance --shared "$(SHARED)"

segment-bench: .venv/.dev  ## defects of regions, beside rules and rivals: models/segment/table.md
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m bench.segment --shared "$(SHARED)" > models/segment/table.md

clips-bench: .venv/.dev  ## clips by a camera model, of photographs that nothing was tuned on: tests/bench/CLIPS.md
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m bench.clips --shared "$(SHARED)" > tests/bench/CLIPS.md

archive-bench: .venv/.dev  ## scoring, simulation and the search for copies: tests/bench/ARCHIVE.md
	PYTHONPATH=tests $(BIN)/python -m bench.archive_report --photos "$(PHOTOS)" $(if $(ARCHIVES),--archives "$(ARCHIVES)")

$(CONFIG):
	@mkdir -p photos/inbox
	@printf '%s\n' \
	  '# The policy of "make run". When this file is saved, a running culld reloads it at once.' \
	  '# Every key is explained in config.example.yaml; paths are relative to this file.' \
	  'watch:' '  - path: inbox' 'quarantine: quarantine' 'state: state' \
	  'policy:' '  mode: enforce          # or observe: tag, never move' '  defects:' \
	  '    blur:  {tag: 0.5, reject: 0.97}' '    under: {tag: 0.6, reject: never}' '    over:  {tag: 0.6, reject: never}' > $@

# A stamp file is newer than the lock from which the virtual environment was installed.
.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "culld needs Python 3.11 or newer as $(PYTHON). On Debian or Ubuntu: sudo apt-get install python3 python3-venv"; \
	  echo "If it has another name here: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 3; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt-get install python3-venv"; exit 3; }
	@$(PYTHON) -m venv .venv

# A lock is complete, so pip must not resolve anything: with --no-deps it installs exactly the pinned files. Without it,
# pip 23.2 refuses the whole lock as soon as the index offers a newer version of a package that another one asks for
# with an extra (pytest-cov asks for coverage[toml]). `pip check` then proves that the lock is complete.
PIP_INSTALL = pip install --quiet --disable-pip-version-check --no-deps

.venv/.run: .venv/bin/pip locks/run.txt pyproject.toml
	@echo "Installing culld into .venv (once)"
	@$(BIN)/$(PIP_INSTALL) --require-hashes -r locks/run.txt
	@$(BIN)/$(PIP_INSTALL) --no-build-isolation -e .
	@$(BIN)/pip check --disable-pip-version-check > .venv/check.txt 2>&1 || { cat .venv/check.txt; exit 3; }
	@touch $@

.venv/.dev: .venv/bin/pip locks/dev.txt pyproject.toml
	@echo "Installing culld and its test tools into .venv (once; TensorFlow is large)"
	@$(BIN)/$(PIP_INSTALL) --require-hashes -r locks/dev.txt
	@$(BIN)/$(PIP_INSTALL) --no-build-isolation -e .
	@$(BIN)/pip check --disable-pip-version-check > .venv/check.txt 2>&1 || { cat .venv/check.txt; exit 3; }
	@touch .venv/.run $@

.venv-bench/.done: locks/bench.txt
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/$(PIP_INSTALL) --require-hashes -r locks/bench.txt
	@touch $@

.venv-opencv-4/.done: locks/opencv-4.txt .venv/.dev  # the oldest OpenCV that is supported: a folder for PYTHONPATH
	@$(BIN)/$(PIP_INSTALL) --require-hashes --target .venv-opencv-4 --upgrade -r locks/opencv-4.txt
	@touch $@

# The locks hold every platform's hashes and no host; uv is only the tool that writes them.
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade
lock:
	$(LOCK) pyproject.toml --extra web --extra vision --group build -o locks/run.txt
	$(LOCK) pyproject.toml --extra gpu --extra train --extra raw --extra jxl --extra web --extra vision --extra video --extra archive --group build --group dev -o locks/dev.txt
	$(LOCK) --group bench -o locks/bench.txt
	@echo "locks/opencv-4.txt stays as it is: it holds the oldest OpenCV that is supported"

clean:
	rm -rf .venv .venv-bench .venv-opencv-4 .pytest_cache .mypy_cache .ruff_cache
