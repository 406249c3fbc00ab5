"""The command as a user meets it: what it prints, what `--json` holds, and how mistakes end."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

DIGITS = Path(__file__).parents[2] / "host_tools" / "demo" / "digits.onnx"


def nnmicro(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "from host_tools.cli.main import app; app(prog_name='nnmicro')",
        *map(str, arguments),
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, env=None)


def said(*arguments: str | Path) -> dict[str, Any]:
    done = nnmicro(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert isinstance(value, dict)
    return value


def refused(*arguments: str | Path, code: int = 1) -> str:
    done = nnmicro(*arguments)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return " ".join(done.stderr.split())


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "digits.nnm"
    labels = DIGITS.with_name("digits_labels.txt")
    assert nnmicro("convert", DIGITS, "-o", out, "--labels", labels).returncode == 0
    return out


def test_plan_says_where_every_blob_lies(digits: Path, tmp_path: Path) -> None:
    told = said("plan", digits)
    assert (told["size"], told["live_peak"], told["lower_bound"], told["lightmode_off"]) == (6144, 6144, 6144, 14096)
    assert told["optimal"] and not told["streamed"]
    assert told["order"][0] == "stem/conv" and len(told["order"]) == 12
    blobs = {blob["name"]: blob for blob in told["blobs"]}
    assert blobs["image"]["first"] == -1 and blobs["image"]["bytes"] == 256
    assert blobs["scores"]["last"] == 11 and blobs["block1/add"]["offset"] == blobs["stem/relu"]["offset"]
    done = nnmicro("plan", digits, "--plot", tmp_path / "memory.html")
    assert done.returncode == 0 and "proven to be the smallest" in done.stdout
    assert "block1/add" in (tmp_path / "memory.html").read_text()
    assert "'memory.pdf'" in refused("plan", digits, "--plot", tmp_path / "memory.pdf")


def test_convert_writes_what_info_reads(tmp_path: Path) -> None:
    out = tmp_path / "d.nnm"
    told = said("convert", DIGITS, "-o", out)
    assert out.stat().st_size == told["file_bytes"]
    assert told.pop("warnings") == []
    assert told == said("info", out)
    assert told["inputs"] == [
        {
            "name": "image",
            "shape": [1, 1, 8, 8],
            "dtype": "float32",
            "scale": None,
            "zero_point": None,
            "layout": "planar",
        }
    ]
    assert told["outputs"][0]["name"] == "scores"
    assert told["macs"] == 42992  # worked out layer by layer in host_tools/demo/README.md
    arena = told["arena"]
    assert arena["size"] == arena["live_peak"] == arena["lower_bound"] == 6144
    assert arena["lightmode_off"] > 2 * arena["live_peak"]


def test_the_words_for_people_have_the_same_figures(digits: Path) -> None:
    done = nnmicro("info", digits)
    assert done.returncode == 0
    for part in ("image: 1 x 1 x 8 x 8 float32", "42,992", "6,144 bytes", "lightmode"):
        assert part in done.stdout


def test_push_proves_what_arrived(digits: Path) -> None:
    import hashlib

    (told,) = said("push", digits, "--device", "unix")["devices"]
    assert told["sha256"] == hashlib.sha256(digits.read_bytes()).hexdigest()
    assert told["bytes"] == digits.stat().st_size and told["verified_by"] == "device"
    assert told["wire_bytes"] > 10_000 and told["engine"]["files"] > 20


def test_run_gives_what_the_original_gives(digits: Path, tmp_path: Path) -> None:
    import onnxruntime

    image = np.random.default_rng(1).integers(0, 17, (1, 1, 8, 8)).astype(np.float32)
    np.save(tmp_path / "image.npy", image)
    session = onnxruntime.InferenceSession(DIGITS, providers=["CPUExecutionProvider"])
    right = session.run(["scores"], {"image": image})[0]
    told = said("run", digits, "--input", f"image={tmp_path / 'image.npy'}", "--output", tmp_path / "out.npz")
    found = np.array(told["outputs"]["scores"], np.float32)
    assert np.abs(found - right).max() <= 1e-4 * np.abs(right).max()
    np.testing.assert_array_equal(np.load(tmp_path / "out.npz")["scores"], found)
    assert told["live_peak"] == told["arena_size"] == 6144 and told["placement"] == "plan"
    assert told["time_us"] > 0 and told["heap_allocated"] == 0 and told["backend"] == "_nnmicro"
    plain = said("run", digits, "--input", f"image={tmp_path / 'image.npy'}", "--backend", "reference")
    assert plain["backend"] == "reference" and plain["heap_allocated"] > 0
    np.testing.assert_allclose(plain["outputs"]["scores"], told["outputs"]["scores"], rtol=1e-4, atol=1e-4)
    for options in (("--weights", "window"), ("--window", "9000")):
        read = said("run", digits, "--input", f"image={tmp_path / 'image.npy'}", *options)
        assert read["weights_from"] == "window" and read["outputs"] == told["outputs"]
    assert told["weights_from"] == "memory"
    off = said("run", digits, "--input", f"image={tmp_path / 'image.npy'}", "--no-lightmode", "--keep", "stem/relu")
    assert off["outputs"]["scores"] == told["outputs"]["scores"]
    assert off["live_peak"] == said("info", digits)["arena"]["lightmode_off"] and off["placement"] == "online"
    assert np.array(off["outputs"]["stem/relu"]).shape == (1, 8, 8, 8)


def test_run_says_the_top_label(digits: Path) -> None:
    done = nnmicro("run", digits)
    assert done.returncode == 0
    assert "zeros are used" in done.stderr
    scores = said("run", digits)["outputs"]["scores"][0]
    assert f"top: {scores.index(max(scores))}, {max(scores):.6g}" in done.stdout


def test_an_input_can_take_a_cameras_bytes(tmp_path: Path) -> None:
    out = tmp_path / "d.nnm"
    told = said("convert", DIGITS, "-o", out, "--mean", "128", "--scale", "0.0625")
    assert told["preprocessing"] == {"image": {"mean": [128.0], "scale": [0.0625]}}
    image = np.random.default_rng(1).integers(0, 256, (1, 1, 8, 8)).astype(np.uint8)
    np.save(tmp_path / "bytes.npy", image)
    np.save(tmp_path / "real.npy", (image.astype(np.float32) - 128) * np.float32(0.0625))
    found = [said("run", out, "--input", f"image={tmp_path / name}")["outputs"] for name in ("bytes.npy", "real.npy")]
    assert found[0] == found[1]
    done = nnmicro("info", out)
    assert "bytes        for image become (byte - 128) x 0.0625" in done.stdout
    assert "3 means" in refused("convert", DIGITS, "-o", out, "--mean", "1,2,3")
    assert "picture" in refused("convert", DIGITS, "-o", out, "--mean", "picture=1")
    assert "not 0" in refused("convert", DIGITS, "-o", out, "--scale", "0")
    assert "finite" in refused("convert", DIGITS, "-o", out, "--mean", "nan")
    refused("convert", DIGITS, "-o", out, "--scale", "a lot", code=2)


def test_golden_vectors_come_from_a_seed_or_a_file(tmp_path: Path) -> None:
    a, b, c = (tmp_path / name for name in ("a.nnm", "b.nnm", "c.nnm"))
    assert said("convert", DIGITS, "-o", a, "--golden", "2", "--seed", "1")["golden"] == 2
    said("convert", DIGITS, "-o", b, "--golden", "2", "--seed", "1")
    said("convert", DIGITS, "-o", c, "--golden", "2", "--seed", "2")
    assert a.read_bytes() == b.read_bytes() != c.read_bytes()
    np.savez(tmp_path / "in.npz", image=np.ones((3, 1, 8, 8), np.float32))
    assert said("convert", DIGITS, "-o", c, "--golden-inputs", tmp_path / "in.npz")["golden"] == 3
    assert said("convert", DIGITS, "-o", c, "--golden-inputs", tmp_path / "in.npz", "--golden", "1")["golden"] == 1
    assert "3 samples" in refused("convert", DIGITS, "-o", c, "--golden-inputs", tmp_path / "in.npz", "--golden", "4")
    np.savez(tmp_path / "in.npz", image=np.full((1, 1, 8, 8), np.inf, np.float32))
    assert "not finite" in refused("convert", DIGITS, "-o", c, "--golden-inputs", tmp_path / "in.npz")
    assert "no.npz" in refused("convert", DIGITS, "-o", c, "--golden-inputs", tmp_path / "no.npz")


def test_names_can_be_stripped_and_nothing_fused(tmp_path: Path) -> None:
    whole, bare = tmp_path / "whole.nnm", tmp_path / "bare.nnm"
    told = said("convert", DIGITS, "-o", whole, "--no-fuse")
    assert told["layers"] > said("convert", DIGITS, "-o", bare, "--strip-names")["layers"]
    assert b"stem/relu" in whole.read_bytes() and b"stem/relu" not in bare.read_bytes()
    assert said("info", bare)["inputs"][0]["name"] == 0


def test_mistakes_are_sentences(digits: Path, tmp_path: Path) -> None:
    assert "no.onnx" in refused("convert", tmp_path / "no.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(DIGITS.read_bytes()[:5000])
    assert "broken.onnx" in refused("convert", broken)
    other = tmp_path / "model.xyz"
    other.write_bytes(b"x")
    text = refused("convert", other)
    assert ".onnx" in text and ".param" in text
    damaged = tmp_path / "damaged.nnm"
    damaged.write_bytes(digits.read_bytes()[:-16])
    for command in ("info", "push", "run"):
        assert "cut off or damaged" in refused(command, damaged)
    weights = bytearray(digits.read_bytes())
    weights[-100] ^= 1
    damaged.write_bytes(weights)
    assert "weights" in refused("push", damaged)
    assert "not an nnmicro model" in refused("info", DIGITS)
    np.save(tmp_path / "wrong.npy", np.zeros((1, 1, 9, 9), np.float32))
    text = refused("run", digits, "--input", f"image={tmp_path / 'wrong.npy'}")
    assert "(1, 1, 8, 8)" in text and "(1, 1, 9, 9)" in text
    assert "'picture'" in refused("run", digits, "--input", f"picture={tmp_path / 'wrong.npy'}")
    assert "no device" in refused("run", digits, "--device", "toaster")
    assert "emulat" in refused("push", digits, "--device", "emu:toaster")
    assert "no backend is called 'assembler'" in refused("push", digits, "--backend", "assembler")


def test_wrong_use_ends_with_2(digits: Path) -> None:
    for arguments in (
        ("convert",),
        ("info", digits, "--no-such"),
        ("convert", DIGITS, "--input-shape", "image"),
        ("run", digits, "--input", "x"),
    ):
        refused(*arguments, code=2)


def test_help_teaches() -> None:
    for command in ("convert", "info", "push", "run", "verify", "demo"):
        done = nnmicro(command, "--help")
        assert done.returncode == 0 and "Example" in done.stdout, command


def test_a_model_with_a_missing_weight_file_says_how_to_go_on(tmp_path: Path) -> None:
    param = tmp_path / "net.param"
    param.write_text("7767517\n2 2\nInput in 0 1 x 0=4 1=4 2=1\nReLU r 1 1 x y\n")
    assert "--zero-weights" in refused("convert", param)
    assert said("convert", param, "--zero-weights", "-o", tmp_path / "net.nnm")["layers"] == 1


def test_the_demo_agrees_with_the_original_on_every_digit() -> None:
    told = said("demo", "--digits", "200")
    assert told["digits"] == told["agree"] == 200
    assert told["right_on_device"] == told["right_originally"] > 0.97 * 200
    assert told["lightmode_ratio"] >= 2 and told["placement"] == "plan"
    assert told["live_peak"] == told["arena_size"]
    int8 = told["int8"]
    assert int8["right_on_device"] >= told["right_originally"] - 0.01 * 200
    assert int8["heap_allocated"] == 0 and int8["live_peak"] == int8["arena_size"] < told["arena_size"] / 3


def test_status_says_what_is_on_a_device() -> None:
    told = said("status")
    assert told["firmware"].startswith("MicroPython 1.") and told["device"] == "unix"
    assert 0 < told["largest_block"] <= told["free_heap"] <= told["heap"]
    assert told["engine"] is None and told["models"] == [] and told["romfs"] is None
    done = nnmicro("status")
    assert done.returncode == 0 and "none: nnmicro push brings it" in done.stdout


def test_ls_and_rm_name_what_is_not_there() -> None:
    assert said("ls", "/lib")["entries"] == []
    assert "The device has no /nowhere." in refused("ls", "/nowhere")
    assert "The device has no /nothing.nnm." in refused("rm", "nothing.nnm")
    assert "/lib is a folder; only files are removed." in refused("rm", "/lib")


def test_push_tells_of_every_device_and_one_mistake_stops_no_other(digits: Path) -> None:
    done = nnmicro("push", digits, "--device", "unix", "--device", "emu:nothing", "--json")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    good, bad = json.loads(done.stdout)["devices"]
    assert good["device"] == "unix" and good["path"] == "/digits.nnm" and good["verified_by"] == "device"
    assert good["sha256"] == hashlib.sha256(digits.read_bytes()).hexdigest()
    assert good["engine"]["files"] > 10 and good["wire_bytes"] > 1000
    assert "no emulator of this board" in bad["error"]
    assert "emu:nothing: emu:nothing" in " ".join(done.stderr.split())


def test_push_into_romfs_is_refused_where_there_is_none(digits: Path) -> None:
    assert "it has no ROMFS partition" in refused("push", digits, "--romfs")
