"""The bench of the models of change: figures computed by hand, the frozen set, the cost, the tables, the page."""

from __future__ import annotations

import contextlib
import html
import json
import mmap
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from culld.compare.bench.figures import DRAWS, HALF, STEPS, PairCounts, best_threshold, count, estimate, figures
from culld.compare.bench.frozen_set import ORDER, REFOCUSED, BenchPair, frozen_set, pair_digest, set_digest, unseen
from culld.compare.bench.machine import processor
from culld.compare.bench.measure import Measured, both_figures, measure, set_facts
from culld.compare.bench.page import json_for_html, page
from culld.compare.bench.page_pictures import heat_uri, outline_uri
from culld.compare.bench.probe_process import _kilobytes, _reset_peak
from culld.compare.bench.results import Cost, DefectRow, HeadFigures, Machine, ModelRow, Results, Verdict, results_json
from culld.compare.bench.table import cell, markdown
from culld.errors import ConfigError
from culld.training.dataset import Scene, split
from culld.training.experiment import Splits

MASK = np.array([[True, True, False, False]])
HOSTILE = '</script><img src=x onerror="alert(1)">|`'


def counted(scene: str, kind: str, probability: list[float], mask: np.ndarray = MASK) -> PairCounts:
    """The counts of a pair of four pixels."""
    return count(scene, kind, np.array([probability], np.float32), mask)


def none_changed() -> np.ndarray:
    """The mask of an unchanged pair."""
    return np.zeros_like(MASK)


PAIRS = [
    counted("a", "paste", [0.9, 0.2, 0.6, 0.0]),  # at 0.5: one hit, one wrong, one missed
    counted("b", "move", [0.8, 0.7, 0.1, 0.0]),  # two hits
    counted("c", "unchanged", [0.9, 0.0, 0.0, 0.0], none_changed()),  # a quarter wrong
    counted("d", REFOCUSED, [0.9, 0.9, 0.0, 0.0], none_changed()),  # half wrong
]


def test_iou_and_f1_are_those_of_the_changed_class() -> None:
    """Over all pixels: 3 hits, 1 + 1 + 2 wrong, 1 missed. Over the changed pairs: IoU 1/3 and 1, F1 1/2 and 1."""
    found = figures(PAIRS, HALF, frozenset({REFOCUSED}))

    assert found.iou_micro.value == pytest.approx(3 / 8, abs=1e-4)
    assert found.f1_micro.value == pytest.approx(6 / 11, abs=1e-4)
    assert found.iou_pair.value == pytest.approx((1 / 3 + 1) / 2, abs=1e-4)
    assert found.f1_pair.value == pytest.approx((1 / 2 + 1) / 2, abs=1e-4)


def test_a_pair_without_a_change_counts_as_the_area_that_is_found() -> None:
    """Refocused pairs stand apart."""
    found = figures(PAIRS, HALF, frozenset({REFOCUSED}))

    assert found.false_alarm.value == 0.25
    assert found.refocused.value == 0.5
    assert {kind: each.value for kind, each in found.kinds.items()} == {
        "paste": pytest.approx(1 / 3, abs=1e-4),
        "move": 1.0,
        "unchanged": 0.25,
        REFOCUSED: 0.5,
    }


def test_a_figure_that_no_pair_has_is_none() -> None:
    """Not 0, which would look like a bad model."""
    found = figures(PAIRS[:2], HALF, frozenset({REFOCUSED}))

    assert found.false_alarm.value is None
    assert found.refocused.value is None


def test_a_probability_at_the_threshold_is_found() -> None:
    """As single precision has it."""
    found = figures([counted("a", "paste", [0.5, 0.5, 0.4999, 0.0])], HALF, frozenset())

    assert found.iou_micro.value == 1.0


def test_a_probability_of_one_is_counted() -> None:
    """The last step."""
    assert counted("a", "paste", [1, 1, 1, 0]).changed[STEPS] == 2


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(value: float) -> None:
    """NaN as well."""
    with pytest.raises(ValueError, match="no probability"):
        counted("a", "paste", [value, 0, 0, 0])


def test_a_map_of_another_size_is_refused() -> None:
    """It would be counted at the wrong places."""
    with pytest.raises(ValueError, match="for a mask of"):
        count("a", "paste", np.zeros((2, 2), np.float32), MASK)


def test_the_best_threshold_separates_what_can_be_separated() -> None:
    """Every threshold from 0.31 to 0.4 is perfect; the middle of them is taken."""
    found = best_threshold([counted("a", "paste", [0.4, 0.9, 0.3, 0.1])])

    assert 301 <= found <= 400
    assert found == pytest.approx(351, abs=1)


def test_the_interval_is_drawn_over_scenes_not_over_pairs() -> None:
    """Ten equal pairs of each of two scenes are as uncertain as one of each."""
    above, below = np.array([0.0, 1.0]), np.ones(2)
    few = estimate(above, below, ["a", "b"])
    many = estimate(np.repeat(above, 10), np.ones(20), ["a"] * 10 + ["b"] * 10)

    assert (few.value, few.low, few.high) == (0.5, 0.0, 1.0)
    assert (many.value, many.low, many.high) == (0.5, 0.0, 1.0)


def test_the_interval_of_many_scenes_is_that_of_the_normal_distribution() -> None:
    """A share of a half among 400: plus or minus 0.049."""
    found = estimate(np.array([0.0, 1.0] * 200), np.ones(400), [str(number) for number in range(400)])

    assert DRAWS >= 1000
    assert found.low == pytest.approx(0.451, abs=0.006)
    assert found.high == pytest.approx(0.549, abs=0.006)


def photo(scene: Scene) -> np.ndarray:
    """A photo of blocks of colour, other ones for each scene."""
    rng = np.random.default_rng(int(scene.file.partition(".")[0]))
    return np.kron(rng.integers(0, 255, (12, 16, 3), np.uint8), np.ones((32, 32, 1), np.uint8))


SCENES = [Scene(f"{number}.jpg", frozenset(), "drawn", "CC0") for number in range(5)]


@pytest.fixture(scope="module")
def pairs() -> list[BenchPair]:
    """A set in which every kind is."""
    pytest.importorskip("cv2")
    return list(frozen_set(SCENES, len(ORDER), photo))


def digests(pairs: list[BenchPair]) -> list[str]:
    """The digest of each pair."""
    return [pair_digest(pair) for pair in pairs]


def test_the_set_is_the_same_every_time(pairs: list[BenchPair]) -> None:
    """Whatever the order of the scenes; a smaller set is the beginning of it."""
    assert digests(list(frozen_set(SCENES[::-1], 4, photo))) == digests(pairs[:4])
    assert set_digest(digests(pairs)) != set_digest(digests(pairs[:4]))


def test_the_digest_changes_with_any_pixel(pairs: list[BenchPair]) -> None:
    """Of a frame, and of the mask."""
    pixels, mask = pairs[0].second.copy(), pairs[0].mask.copy()
    pixels[0, 0, 0] ^= 1
    mask[0, 0] ^= True

    assert (
        len({pair_digest(pairs[0]), *(digests([replace(pairs[0], second=pixels), replace(pairs[0], mask=mask)]))}) == 3
    )


def test_one_pair_in_four_is_unchanged_and_half_of_those_are_refocused(pairs: list[BenchPair]) -> None:
    """The others have a mask."""
    empty = [pair.kind for pair in pairs if not pair.mask.any()]

    assert sorted(empty) == [REFOCUSED] * 2 + ["unchanged"] * 2
    assert {pair.kind for pair in pairs} == set(ORDER)
    assert {pair.scene for pair in pairs} == {scene.file for scene in SCENES}


def test_photos_that_a_network_was_trained_on_are_left_out() -> None:
    """With the split of another seed; that of the default changes nothing."""
    many = [Scene(f"{number}.jpg", frozenset(), "drawn", "CC0") for number in range(300)]
    plain, other = split(many, Splits()), split(many, Splits(seed=2))

    found = unseen(many, [Splits(), Splits(seed=2)])

    assert unseen(many, [Splits()]) == plain
    assert set(found.test) == set(plain.test) & set(other.test)
    assert set(found.calibration) == set(plain.calibration) & set(other.calibration)


def test_networks_that_leave_no_photo_are_refused() -> None:
    """The sentence says how to choose others."""
    few = [Scene(f"{number}.jpg", frozenset(), "drawn", "CC0") for number in range(40)]

    with pytest.raises(ConfigError, match="choose networks of one split"):
        unseen(few, [Splits(), *(Splits(seed=seed) for seed in (2, 3, 4, 5, 6))])


def differs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """A model: how far the pixels differ."""
    return np.asarray(np.abs(first.astype(np.float32) - second).mean(axis=2) / 255, np.float32)


def nothing(first: np.ndarray, _second: np.ndarray) -> np.ndarray:
    """A model that never finds a change."""
    return np.zeros(first.shape[:2], np.float32)


@pytest.fixture(scope="module")
def measured(pairs: list[BenchPair]) -> Measured:
    """Both models on the set, one example of each kind; one of the models has a hostile name."""
    return measure({"differs": differs, HOSTILE: nothing}, pairs, lambda: None, examples=1)


def test_every_model_sees_every_pair_and_examples_of_each_kind_are_kept(measured: Measured) -> None:
    """With the number of the pair in the set."""
    assert {name: len(counts) for name, counts in measured.counts.items()} == {"differs": 16, HOSTILE: 16}
    assert {example.pair.kind for example in measured.examples} == set(ORDER)
    assert [ORDER[example.number] for example in measured.examples] == [each.pair.kind for each in measured.examples]
    assert measured.kinds["paste"] == 3


def test_a_model_that_finds_nothing_has_no_iou_and_no_false_alarm(measured: Measured) -> None:
    """At either threshold."""
    half, best = both_figures(measured.counts[HOSTILE], measured.counts[HOSTILE])

    assert (half.iou_micro.value, half.false_alarm.value, best.f1_pair.value) == (0.0, 0.0, 0.0)


def results(measured: Measured) -> Results:
    """The results of these models, of an untrained one, and of two defect models."""
    rows = [
        ModelRow(name, "a <b>bold</b> summary", *both_figures(counts, counts), Cost(12.3, 20.1, 60, 45.6, 80.0), size)
        for (name, counts), size in zip(measured.counts.items(), (None, 1_234_567), strict=True)
    ]
    heads = {head: HeadFigures(0.95, 0.99, None) for head in ("blur", "under", "over")}
    return Results(
        "0.1.0",
        Machine("A | B <C>", 2, {"numpy": "2"}),
        set_facts(measured, 5, 16),
        (*rows, ModelRow("siamese-vgg16", "two branches of VGG16", missing="untrained")),
        Cost(80.0, 90.0, 20, 100.0, 80.0),
        (640, 480),
        (
            DefectRow("defects-3@1", heads, "x"),
            DefectRow("defects-2@2", heads, "x", verdict=Verdict(allowed=False, reasons=("<i>blur</i> loses",))),
        ),
    )


def test_the_table_has_a_row_of_one_width_for_every_model(measured: Measured) -> None:
    """Whatever a name holds; an untrained model is named so."""
    text = markdown(results(measured))
    rows = [line for line in text.splitlines() if line.startswith("|")]

    assert "| siamese-vgg16 (untrained) | - |" in text
    assert f"Frozen set {set_digest(measured.digests)}: 16 pairs" in text
    for row in rows:
        assert len(re.findall(r"(?<!\\)\|", row)) in {
            len(re.findall(r"(?<!\\)\|", head)) for head in rows if "IoU" in head or "ms" in head or "move" in head
        }
    assert "<img" not in text
    assert "- defects-3@1: in service" in text
    assert "- defects-2@2: no, &lt;i>blur&lt;/i> loses" in text


def test_a_cell_stays_on_its_line() -> None:
    """And ends neither it nor itself."""
    assert cell("a|b\nc<d\\") == "a\\|b c&lt;d\\\\"


def test_the_results_are_json(measured: Measured) -> None:
    """With the intervals, and without pictures."""
    found = json.loads(results_json(results(measured)))

    assert found["models"][0]["half"]["iou_micro"].keys() == {"value", "low", "high"}
    assert found["models"][2]["half"] is None
    assert found["pairs"]["digest"] == set_digest(measured.digests)


class Elements(HTMLParser):
    """Collects the elements of a page with their attributes, and the text in each kind of element."""

    def __init__(self, text: str) -> None:
        """Read the page."""
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if self.found:
            self.texts.setdefault(self.found[-1][0], []).append(data)


def test_the_page_escapes_everything_and_loads_nothing(measured: Measured) -> None:
    """A hostile name of a model becomes no element; no attribute is a handler; every address is a data: URI."""
    elements = Elements(page(results(measured), measured))
    attributes = [(name, value or "") for _, attrs in elements.found for name, value in attrs.items()]

    assert [tag for tag, attrs in elements.found if attrs.get("src") == "x"] == []
    assert {tag for tag, _ in elements.found}.isdisjoint({"b", "i", "iframe", "object"})
    assert [name for name, _ in attributes if name.startswith("on") or name == "style"] == []
    assert [value for name, value in attributes if name in {"src", "href"} and not value.startswith("data:")] == []
    assert HOSTILE in elements.texts["option"]


def test_the_data_of_the_page_cannot_end_its_script() -> None:
    """It is read as it was written."""
    text = json_for_html({"name": HOSTILE, "line": "\u2028"})

    assert not re.search(r"[<>&\u2028]", text)
    assert json.loads(text) == {"name": HOSTILE, "line": "\u2028"}


def test_the_tables_of_the_page_have_headings_and_can_be_sorted(measured: Measured) -> None:
    """A button in each heading; a cell with a number has the number to sort by."""
    text = page(results(measured), measured)
    heads = re.findall(r'<th scope="col"[^>]*><button type="button">([^<]+)</button></th>', text)
    row = re.search(r"<tr><th scope=\"row\"[^>]*>differs.*?</tr>", text)

    assert {"IoU", "F1 a pair, best", "memory MB", "AUC under", "may go live"} <= set(heads)
    assert row
    assert 'data-value="12.3"' in row[0]
    assert html.escape("a <b>bold</b> summary") in row[0]


def test_the_policy_of_the_page_names_its_own_script_and_style(measured: Measured) -> None:
    """By their digests: nothing else may run."""
    text = page(results(measured), measured)

    assert "default-src 'none'" in text
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", text)
    assert "unsafe" not in text


def test_a_heat_map_is_small_and_an_outline_lies_on_the_border() -> None:
    """A photo would be a hundred times as large."""
    mask = np.zeros((384, 512), bool)
    mask[100:200, 100:200] = True

    assert len(heat_uri(mask.astype(np.uint8) * 255)) < 2000
    assert len(outline_uri(mask)) < 2000


@pytest.mark.parametrize(
    ("facts", "name"),
    [("processor\t: 0\nmodel name\t: AMD EPYC 9654\n", "AMD EPYC 9654"), ("Features: fp asimd\n", None)],
)
def test_the_processor_is_named(facts: str, name: str | None) -> None:
    """Where the kernel has no name, by its architecture."""
    assert processor(facts) == (name or processor(""))


def test_the_page_is_made_of_files_of_the_package() -> None:
    """Which a wheel has as well: they lie below the package."""
    folder = Path(__import__("culld").__file__).parent / "compare" / "bench" / "static"

    assert {file.name for file in folder.iterdir()} == {"page.html", "page.css", "page.js"}


def test_a_bench_without_a_trained_model_has_a_page_as_well(pairs: list[BenchPair]) -> None:
    """With the pairs, and the models as untrained."""
    found = measure({}, pairs, lambda: None, examples=1)
    row = ModelRow("siamese-vgg16", "two branches of VGG16", missing="untrained")
    text = page(Results("0.1.0", Machine("A", 1, {}), set_facts(found, 5, 8), (row,), None, None, ()), found)

    assert "untrained" in text
    assert '<option value="5">' in text


def test_the_peak_of_memory_is_counted_from_the_baseline_on() -> None:
    """Memory that is given back counts; what was held before does not."""
    with touched(64_000_000):
        pass
    _reset_peak()
    baseline = _kilobytes("VmRSS")

    with touched(32_000_000):  # 31,250 kB
        pass

    assert 30_000 < _kilobytes("VmHWM") - baseline < 45_000


@contextlib.contextmanager
def touched(size: int) -> Iterator[None]:
    """Pages of the system, all used: an array may lie in memory that the process holds since an earlier test."""
    with mmap.mmap(-1, size) as pages:
        for place in range(0, size, mmap.PAGESIZE):
            pages[place] = 1
        yield
