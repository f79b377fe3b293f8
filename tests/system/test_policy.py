"""The policy at work on real pictures: brackets, bursts, night, bokeh, the brake, and what another policy would do."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import piexif
import pytest
from PIL import Image, ImageEnhance

from harness import factories, raw_files
from harness.daemon_process import POLICY, House

SCENE = factories.picture(31)
BLURRED = factories.blurred(SCENE)


def shot(picture: Image.Image, second: float = 0, *, bias: int = 0, settings: tuple[float, float, int] = ()) -> bytes:
    """A JPEG that a camera took so many seconds after noon, with its settings (time, aperture, ISO)."""
    seconds, aperture, iso = settings or (1 / 250, 5.6, 200)
    moment = factories.NOON + timedelta(seconds=second)
    exif = {
        "0th": {piexif.ImageIFD.Model: b"Model X"},
        "Exif": {
            piexif.ExifIFD.DateTimeOriginal: moment.strftime("%Y:%m:%d %H:%M:%S").encode(),
            piexif.ExifIFD.SubSecTimeOriginal: moment.strftime("%f").encode(),
            piexif.ExifIFD.ExposureTime: (round(seconds * 10000), 10000),
            piexif.ExifIFD.FNumber: (round(aperture * 10), 10),
            piexif.ExifIFD.ISOSpeedRatings: iso,
            piexif.ExifIFD.ExposureBiasValue: (bias, 1),
        },
    }
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=90, exif=piexif.dump(exif))
    return stream.getvalue()


def rating(stars: int) -> bytes:
    """A sidecar with a rating."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{stars}"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def quarantined(house: House) -> set[str]:
    """The names of the photos in quarantine."""
    return set(house.photos(house.quarantine))


@pytest.mark.slow
def test_a_bracket_stays_whole(house: House) -> None:
    """Its darkest and brightest shots are meant to be so; the same pictures one by one are rejects."""
    house.config.write_text(POLICY.replace("reject: never", "reject: 0.9"))
    for number, (bias, light) in enumerate([(0, 1.0), (-3, 0.08), (3, 4.5)]):
        picture = ImageEnhance.Brightness(SCENE).enhance(light)
        house.drop(f"bracket-{number}.jpg", shot(picture, number / 2, bias=bias))
        house.drop(f"single-{number}.jpg", shot(picture, 600 * (number + 1)))

    house.culld("once")

    assert quarantined(house) == {"single-1.jpg", "single-2.jpg"}
    assert house.culld("log").count("it is one of 3 shots of a bracket (policy.protect.series)") == 2


@pytest.mark.slow
def test_score_prints_what_the_policy_would_do(house: House) -> None:
    """With bursts, ratings and all, and without touching anything."""
    for number in range(2):
        house.drop(f"{number}.jpg", shot(factories.blurred(SCENE, 12 - number), number))
    rated = house.drop("rated.jpg", shot(BLURRED, 600))
    house.drop("rated.jpg.xmp", rating(5))

    told = [json.loads(line) for line in house.culld("score", "--json", str(house.inbox)).splitlines()]

    assert sorted(each["verdict"] for each in told) == ["quarantine", "tag", "tag"]
    assert "it is rated (xmp:Rating 5" in told[-1]["reason"]
    assert rated.exists()


@pytest.mark.slow
def test_the_best_of_a_burst_stays(house: House) -> None:
    """Even if all of it is blurred; with a sharp frame in it, all the blurred ones are moved."""
    wide = factories.picture(31, (1100, 720))
    for number, radius in enumerate([14, 11, 12]):
        # The hand moves: frames from a tripod that are all blurred may be the far end of a focus stack.
        frame = factories.blurred(wide.crop((number * 20, 0, number * 20 + 960, 720)), radius)
        house.drop(f"all-{number}.jpg", shot(frame, number / 2))
        house.drop(f"one-{number}.jpg", shot(frame if number else SCENE, 600 + number / 2))

    house.culld("once")

    (best,) = {f"all-{number}.jpg" for number in range(3)} - quarantined(house)
    assert quarantined(house) >= {"one-1.jpg", "one-2.jpg"}
    assert "one-0.jpg" not in quarantined(house)
    assert f"{best}  blur" in house.culld("log")
    assert "it is the best of a burst of 3" in house.culld("log")
    for name in ("all-0.jpg", "all-1.jpg", "all-2.jpg"):
        told = house.culld("why", str(house.inbox / name))
        assert f"burst       {best} is the best of 3 frames: its decision names it (policy.protect.bursts)." in told
        assert told.count("softer: ") + told.count("as sharp (") == 2
    told = json.loads(house.culld("why", "--json", str(house.inbox / "one-1.jpg")))["burst_view"]
    assert told["best"]["name"] == "one-0.jpg"
    assert {frame["state"] for frame in told["frames"]} == {"kept", "rejected"}


@pytest.mark.slow
def test_night_is_no_defect(house: House) -> None:
    """The same dark picture at settings for night, and at settings for daylight."""
    house.config.write_text(POLICY.replace("reject: never", "reject: 0.9"))
    dark = ImageEnhance.Brightness(SCENE).enhance(0.06)
    house.drop("night.jpg", shot(dark, settings=(0.1, 1.8, 3200)))
    house.drop("day.jpg", shot(dark, 600, settings=(1 / 500, 8, 100)))

    house.culld("once")

    assert quarantined(house) == {"day.jpg"}
    assert "dark at settings for night" in house.culld("log")
    assert not (house.inbox / "night.jpg.xmp").exists()


@pytest.mark.slow
def test_a_sharp_subject_before_a_soft_background_is_no_blur(house: House) -> None:
    """Bokeh: most of the picture is out of focus, and the part that matters is not."""
    for number in range(3):
        picture = factories.picture(40 + number, (1440, 1080))
        bokeh = factories.blurred(picture, 14)
        box = (480, 270, 960, 810)
        bokeh.paste(picture.crop(box), box)
        house.drop(f"bokeh-{number}.jpg", shot(bokeh, 600 * number))
        house.drop(f"blurred-{number}.jpg", shot(factories.blurred(picture, 14), 600 * number + 300))

    house.culld("once")

    assert quarantined(house) == {"blurred-0.jpg", "blurred-1.jpg", "blurred-2.jpg"}


@pytest.mark.slow
def test_a_photo_that_is_too_small_to_judge_stays(house: House) -> None:
    """Its keyword is written; `why`, `log` and `policy simulate` name its size and the key that lets it be moved."""
    small = house.drop("small.jpg", shot(BLURRED.resize((600, 450))))
    house.drop("large.jpg", shot(BLURRED.resize((640, 480)), 600))
    reason = "it is too small to judge: its longer side has 600 pixels (policy.protect.smaller_than 640)"

    house.culld("once")

    assert quarantined(house) == {"large.jpg"}
    assert b"defect:blur" in small.read_bytes()
    why = house.culld("why", str(small))
    assert "verdict     tag, by policy.defects.blur.reject" in why
    assert reason in why
    assert "longest 600" in why
    assert reason in house.culld("log")
    assert "1 tag, 1 quarantine" in house.culld("report")
    assert "smaller than 640 pixels" in house.culld("policy", "check", str(house.config))

    bold = house.folder / "bold.yaml"
    bold.write_text(POLICY + "  protect: {smaller_than: never}\n")
    (change,) = map(json.loads, house.culld("policy", "simulate", str(bold), "--json").splitlines())
    assert (Path(change["path"]).name, change["would"]) == ("small.jpg", "move")
    strict = house.folder / "strict.yaml"
    strict.write_text(POLICY + "  protect: {smaller_than: 641}\n")
    (change,) = map(json.loads, house.culld("policy", "simulate", str(strict), "--json").splitlines())
    assert (Path(change["path"]).name, change["would"]) == ("large.jpg", "come back")
    assert "its longer side has 640 pixels (policy.protect.smaller_than 641)" in change["reason"]
    house.culld("policy", "simulate", str(bold), "--apply")
    assert quarantined(house) == {"large.jpg", "small.jpg"}


@pytest.mark.slow
def test_the_brake_stops_moves_and_resume_releases_it(house: House) -> None:
    """Three of ten may be moved; then culld only tags, and reports it."""
    house.config.write_text(POLICY + "  brake: {max_share: 0.3, window: 10}\n")
    for number in range(5):
        house.drop(f"{number}.jpg", shot(factories.blurred(factories.picture(50 + number)), 600 * number))

    house.culld("once")

    assert len(quarantined(house)) == 3
    assert "4 of the last 4 photos were to be moved" in json.loads(house.culld("status", "--json"))["brake"]
    assert "MOVING STOPPED by the brake" in house.culld("status")
    assert "Moving is enabled again" in house.culld("resume")
    assert json.loads(house.culld("status", "--json"))["brake"] is None
    assert house.culld("resume") == "Moving was not stopped: the brake is not active.\n"
    told = house.culld("policy", "simulate", str(house.config), "--apply")
    assert "done: 2 moved, 0 came back" in told
    assert len(quarantined(house)) == 5


@pytest.mark.slow
def test_another_policy_is_tried_on_the_past_and_carried_out(house: House) -> None:
    """Without scoring anything again; a photo that was rated since is not moved."""
    names = [f"{number}.jpg" for number in range(4)]
    for number, name in enumerate(names):
        house.drop(name, shot(factories.blurred(factories.picture(60 + number)), 600 * number))
    house.drop("good.jpg", shot(SCENE, 9000))
    house.config.write_text(POLICY.replace("enforce", "observe"))
    house.culld("once")
    assert quarantined(house) == set()
    house.drop("3.xmp", rating(4))

    def simulated(file: Path, *options: str) -> dict[str, str]:
        told = house.culld("policy", "simulate", str(file), "--json", *options)
        return {Path(each["path"]).name: each["would"] for each in map(json.loads, told.splitlines())}

    new = house.folder / "new.yaml"
    new.write_text(POLICY)
    assert simulated(new) == dict.fromkeys(names[:3], "move")
    assert simulated(new, "--since", "0s") == {}
    assert quarantined(house) == set()
    assert simulated(new, "--apply") == dict.fromkeys(names[:3], "move")
    assert quarantined(house) == set(names[:3])

    lenient = house.folder / "lenient.yaml"
    lenient.write_text(POLICY.replace("reject: 0.97}\n    under", "reject: never}\n    under"))
    assert simulated(lenient) == dict.fromkeys(names[:3], "come back")
    told = house.culld("policy", "simulate", str(lenient), "--apply")
    assert "would come back" in told
    assert "done: 0 moved, 3 came back" in told
    assert quarantined(house) == set()
    house.culld("once")
    assert simulated(new) == dict.fromkeys(names[:3], "move")  # the user did not restore them


@pytest.mark.slow
def test_a_rule_about_regions_is_replayed_on_stored_shares_only(house: House) -> None:
    """A photo that was judged before any rule named them has none: `once --rejudge` finds them."""
    pixels = np.asarray(factories.picture(3, (960, 720)).convert("RGB")).clip(20, 220).copy()
    pixels[:, :480] = 255
    house.drop("old.jpg", shot(Image.fromarray(pixels)))
    house.culld("once")
    ruled = house.folder / "ruled.yaml"
    rule = "  rules:\n    - {name: burnt out, when: share_clipped > 0.4, action: quarantine}\n"
    ruled.write_text(POLICY + rule)

    def simulated() -> set[str]:
        told = house.culld("policy", "simulate", str(ruled), "--json")
        return {Path(each["path"]).name for each in map(json.loads, told.splitlines()) if each["would"] == "move"}

    assert simulated() == set()
    assert "share_clipped" not in house.culld("why", str(house.inbox / "old.jpg"))
    house.config.write_text(POLICY + rule.replace("quarantine}", "tag}"))
    house.drop("new.jpg", shot(Image.fromarray(pixels[::-1]), 600))
    house.culld("once")
    assert simulated() == {"new.jpg"}
    told = json.loads(house.culld("why", "--json", str(house.inbox / "new.jpg")))
    assert told["facts"]["share_clipped"] == pytest.approx(0.5, abs=0.03)
    assert told["facts"]["subject_sharp"] in {True, False}
    assert "share_clipped 0." in house.culld("why", str(house.inbox / "new.jpg"))
    house.culld("once", "--rejudge")
    assert simulated() == {"old.jpg", "new.jpg"}


@pytest.mark.slow
def test_answers_about_rejects_are_counted(house: House) -> None:
    """What was restored or dragged out was a false reject, and stays; what was deleted was a right one."""
    for number in range(5):
        house.drop(f"{number}.jpg", shot(factories.blurred(factories.picture(70 + number)), 600 * number))
    house.culld("once")
    assert len(quarantined(house)) == 5
    house.culld("restore", str(house.quarantine / "0.jpg"))
    (house.quarantine / "1.jpg").rename(house.inbox / "elsewhere.jpg")
    for name in ("2.jpg", "3.jpg"):
        (house.quarantine / name).unlink()
    house.drop("again.jpg", (house.quarantine / "4.jpg").read_bytes())  # a second import, not an answer

    house.culld("once")

    assert quarantined(house) == {"4.jpg", "again.jpg"}
    assert "the user restored this photo" in house.culld("why", str(house.inbox / "elsewhere.jpg"))
    plot = house.folder / "report.png"
    told = [json.loads(line) for line in house.culld("report", "--json", "--plot", str(plot)).splitlines()]
    (blur,) = [each for each in told if each["name"] == "blur"]
    assert (blur["rejected"], blur["false"], blur["confirmed"], blur["waiting"]) == (6, 2, 2, 2)
    assert blur["false_rate"] == 0.5
    assert {each["name"] for each in told if each["by"] == "camera"} == {"Model X"}
    with Image.open(plot) as picture:
        assert picture.format == "PNG"
    assert "50.0%" in house.culld("report")
    said = house.culld("policy", "suggest", "--config", str(house.config))
    assert "policy.defects.blur.reject: 0.97 now; 4 answers so far, 20 are needed to suggest another" in said


@pytest.mark.slow
def test_why_prints_all_about_one_photo(house: House) -> None:
    """By where it was or where it is, with its history; a photo that was never judged gets a message."""
    house.drop("2026/a.jpg", shot(BLURRED, settings=(1 / 60, 2.8, 800)))
    house.drop("2026/a.dng", raw_files.dng(BLURRED, preview=BLURRED))
    house.culld("once")

    by_origin = house.culld("why", str(house.inbox / "2026" / "a.jpg"))
    assert by_origin == house.culld("why", str(house.quarantine / "2026" / "a.jpg"))
    for expected in (
        "verdict     quarantine, by policy.defects.blur.reject",
        "(in force)",
        "camera Model X",
        "iso 800",
    ):
        assert expected in by_origin
    told = json.loads(house.culld("why", "--json", str(house.inbox / "2026" / "a.jpg")))
    assert told["facts"]["light_value"] == pytest.approx(5.88, abs=0.02)
    assert told["facts"]["same_shot"] == ["a.dng"]
    assert told["scores"]["blur"] > 0.97
    house.culld("restore", "--all")
    assert "restored" in house.culld("why", str(house.inbox / "2026" / "a.jpg")).splitlines()[-1]
    house.culld("why", str(house.inbox / "b.jpg"), expect=1)
