# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged models and sounds, and bombs: each is one sentence or a valid result, quickly and in little memory."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import struct
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file

from backend import audio, checkpoint, face, motion_file
from backend.face import ARKIT_CHANNELS
from backend.models.speech_config import SpeechEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from tests.backend.conftest import babble, encoded
from tests.backend.test_hostile_flame_files import HOSTILE, hostile
from tests.faults.backend.victim import CASE, ROOT
from tests.faults.figures import MB, is_sentence, linux
from tests.faults.mutations import damaged

VICTIM = Path(__file__).with_name("victim.py")
FLAME = ROOT / "tests" / "data" / "flame" / "flame_synthetic.pkl"
BASIS = CASE / "pca" / "BIWI_23370_vertices.npz"
MOST_MEMORY = 256 * MB
MOST_SECONDS = 20.0
pytestmark = linux


class Victim:
    """A reader in a process of its own."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, str(VICTIM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.peak = 0
        """Most memory that one file took, beside what the reader had."""

    def read(self, kind: str, path: Path) -> str:
        """``read`` or ``sentence``; anything else, and too much time or memory, fails the test."""
        self._child.stdin.write(json.dumps([kind, str(path)]) + "\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline()
        assert answer, f"{path} ended the process: {self._child.wait()}"
        told = json.loads(answer)
        assert told["outcome"] in ("read", "sentence"), (path, told)
        assert told["outcome"] == "read" or is_sentence(told["text"]), told
        assert told["peak"] < MOST_MEMORY and told["seconds"] < MOST_SECONDS, (path, told)
        self.peak = max(self.peak, told["peak"])
        return told["outcome"]

    def leave(self) -> None:
        self._child.stdin.close()
        assert self._child.wait(20) == 0


@pytest.fixture(scope="module")
def reader() -> Iterator[Victim]:
    victim = Victim()
    yield victim
    victim.leave()


@pytest.fixture
def victim(reader: Victim, tmp_path: Path) -> Victim:
    """The reader, warm, with its peak forgotten."""
    reader.read("official", CASE / "checkpoint.pt")
    reader.read("sound", sounds(tmp_path)[0])
    reader.peak = 0
    return reader


@pytest.fixture
def whole(tmp_path: Path, models: Path) -> dict[str, list[Path]]:
    """Whole files of every kind that holds a model or its parts."""
    old = tmp_path / "old.pth"
    torch.save(torch.load(CASE / "checkpoint.pt", weights_only=True), old, _use_new_zipfile_serialization=False)
    named = tmp_path / "named.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in torch.load(CASE / "checkpoint.pt").items()}, named)
    motion = motion_file.Motion("arkit", 60.0, np.random.default_rng(0).random((40, 52), np.float32), ARKIT_CHANNELS)
    motions = [tmp_path / f"motion.{ending}" for ending in motion_file.FORMATS]
    for path in motions:
        motion_file.write(path, motion)
    return {
        "model": [models / "tiny.safetensors"],
        "official": [CASE / "checkpoint.pt", old, named],
        "flame": [FLAME],
        "basis": [BASIS],
        "motion": motions,
    }


def sounds(folder: Path) -> list[Path]:
    """A quarter second in every format that is spoken of."""
    kinds = {
        "wav": ("WAV", "PCM_16"),
        "float.wav": ("WAV", "FLOAT"),
        "flac": ("FLAC", "PCM_16"),
        "ogg": ("OGG", "VORBIS"),
        "opus": ("OGG", "OPUS"),
        "mp3": ("MP3", None),
        "aiff": ("AIFF", "PCM_24"),
    }
    paths = [folder / f"whole.{ending}" for ending in kinds]
    for path, (kind, subtype) in zip(paths, kinds.values(), strict=True):
        path.write_bytes(encoded(babble(0.75, 24_000), 24_000, kind, subtype))
    return paths


def test_whole_files_are_read(victim: Victim, whole: dict[str, list[Path]], tmp_path: Path):
    """What is damaged below is well before."""
    for kind, paths in (whole | {"sound": sounds(tmp_path)}).items():
        for path in paths:
            assert victim.read(kind, path) == "read", path


def test_damaged_models(victim: Victim, whole: dict[str, list[Path]], tmp_path: Path, times, chance, record):
    files = [(kind, path) for kind, paths in whole.items() for path in paths]
    tried, outcomes = times(35, 300), Counter()
    for number in range(tried):
        kind, path = files[number % len(files)]
        spoiled = tmp_path / "damaged" / path.name
        spoiled.parent.mkdir(exist_ok=True)
        spoiled.write_bytes(damaged(path.read_bytes(), chance))
        outcomes[victim.read(kind, spoiled)] += 1
    assert outcomes["sentence"] > tried / 3
    outcome = f"{outcomes['sentence']} refused in one sentence, {outcomes['read']} still valid"
    record("damaged model and motion files", tried, f"{outcome}; at most {victim.peak / MB:.0f} MB")


def test_damaged_sounds(victim: Victim, tmp_path: Path, times, chance, record):
    files = sounds(tmp_path)
    tried, outcomes = times(35, 280), Counter()
    for number in range(tried):
        path = files[number % len(files)]
        spoiled = tmp_path / f"damaged{path.suffix}"
        spoiled.write_bytes(damaged(path.read_bytes(), chance))
        outcomes[victim.read("sound", spoiled)] += 1
    assert outcomes["sentence"] > tried / 10
    outcome = f"{outcomes['sentence']} refused in one sentence, {outcomes['read']} heard as far as they go"
    record("damaged sound files (wav, flac, ogg, opus, mp3, aiff)", tried, outcome)


# ------------------------------------------------------------------------------------------- bombs and hostile files


def torch_archive(path: Path, program: bytes, packing: int = zipfile.ZIP_STORED, more: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("archive/data.pkl", program)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/data/0", more or bytes(64))
    return path


def spread_tensor(path: Path) -> Path:
    """One number that says it is a million by a million of them, under a name that only the layout keeps out."""
    torch.save({"pca_layer_dict.x.feat_std": torch.zeros(1).expand(10**6, 10**6)}, path)
    return path


def spread_weights(path: Path) -> Path:
    tensors = torch.load(CASE / "checkpoint.pt", weights_only=True)
    torch.save(tensors | {"decoder.learnable_style_emb.weight": torch.zeros(1).expand(10**6, 10**6)}, path)
    return path


def lengthened(path: Path, old: bool) -> Path:
    """A tensor whose storage claims a terabyte."""
    stream = io.BytesIO()
    torch.save({"a": torch.zeros(77)}, stream, _use_new_zipfile_serialization=not old)
    small, large = b"KM", b"\x8a\x06" + (1 << 40).to_bytes(6, "little")
    if old:
        path.write_bytes(stream.getvalue().replace(small, large))
        return path
    with zipfile.ZipFile(stream) as archive:
        program = archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))
    assert small in program
    return torch_archive(path, program.replace(small, large))


def claimed(path: Path, shape: str) -> Path:
    """An npz whose arrays say they are larger than what the archive keeps for them."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("values", "components_to_data", "v_template", "original_data_mean", "names"):
            archive.writestr(f"{name}.npy", array)
    return path


def packed(path: Path, megabytes: int = 400) -> Path:
    """An npz of zeros, a thousandth of what it unpacks to."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({megabytes << 18},), }}".ljust(117).encode() + b"\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("values", "components_to_data", "v_template"):
            with archive.open(f"{name}.npy", "w") as member:
                member.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
                for _ in range(megabytes if name == "values" else 70):
                    member.write(bytes(MB))
    return path


def understated(path: Path, packing: int, megabytes: int) -> Path:
    """An npz whose archive keeps far more for an array than it says."""
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (5000,), }".ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w", packing) as archive:
        with archive.open("values.npy", "w") as member:
            member.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
            for _ in range(megabytes):
                member.write(bytes(MB))
        archive.infolist()[0].file_size = 10 + len(header) + 4 * 5000
    return path


def described(path: Path, models: Path, **config: object) -> Path:
    """One of our models whose description asks for other sizes."""
    tensors = load_file(models / "tiny.safetensors")
    with checkpoint.safe_open(models / "tiny.safetensors", "pt") as file:
        header = json.loads(file.metadata()[checkpoint.METADATA_KEY])
    header["config"].update(config)
    save_file(tensors, path, {checkpoint.METADATA_KEY: json.dumps(header)})
    return path


def header_of(path: Path, shape: list[int], end: int) -> Path:
    """A safetensors file whose one tensor lies beyond its end."""
    table = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}}).encode()
    path.write_bytes(struct.pack("<Q", len(table)) + table + bytes(64))
    return path


BOMBS: dict[str, tuple[str, Callable[[Path, Path], Path]]] = {
    "one number spread to a million by a million": ("official", lambda f, _: spread_tensor(f / "a.pt")),
    "weights of one number spread": ("official", lambda f, _: spread_weights(f / "a.pt")),
    "a storage of a terabyte": ("official", lambda f, _: lengthened(f / "a.pt", old=False)),
    "a storage of a terabyte, old layout": ("official", lambda f, _: lengthened(f / "a.pth", old=True)),
    "a packed checkpoint": (
        "official",
        lambda f, _: torch_archive(f / "a.pt", b"]" * 80_000_000 + b".", zipfile.ZIP_DEFLATED),
    ),
    "a program of a hundred megabytes": ("official", lambda f, _: torch_archive(f / "a.pt", b"]" * 100_000_000 + b".")),
    "a description of a model of petabytes": (
        "model",
        lambda f, m: described(f / "a.safetensors", m, decoder_dimension=10**9),
    ),
    "a description of a model of gigabytes": (
        "model",
        lambda f, m: described(f / "a.safetensors", m, decoder_dimension=65536, identity_width=65536),
    ),
    "a safetensors header of a terabyte": ("model", lambda f, _: header_of(f / "a.safetensors", [1 << 38], 1 << 40)),
    "a safetensors header whose size overflows": (
        "official",
        lambda f, _: header_of(f / "a.safetensors", [1 << 62, 8], 64),
    ),
    "motion of a terabyte": ("motion", lambda f, _: claimed(f / "a.npz", "(274877906944,)")),
    "a basis of a terabyte": ("basis", lambda f, _: claimed(f / BASIS.name, "(524288, 524288)")),
    "a FLAME model of a terabyte": ("flame", lambda f, _: claimed(f / "a.npz", "(524288, 524288)")),
    "a shape that overflows": ("motion", lambda f, _: claimed(f / "a.npz", "(4611686018427387904, 4)")),
    "a negative shape": ("motion", lambda f, _: claimed(f / "a.npz", "(-4, -4)")),
    "packed motion": ("motion", lambda f, _: packed(f / "a.npz")),
    "an array that unpacks to more than it says": (
        "motion",
        lambda f, _: understated(f / "a.npz", zipfile.ZIP_DEFLATED, 800),
    ),
    "the same, by bzip2": ("motion", lambda f, _: understated(f / "a.npz", zipfile.ZIP_BZIP2, 400)),
    "the same, by lzma": ("motion", lambda f, _: understated(f / "a.npz", zipfile.ZIP_LZMA, 400)),
    "a packed basis": ("basis", lambda f, _: packed(f / BASIS.name)),
    "a packed FLAME model": ("flame", lambda f, _: packed(f / "a.npz")),
    "a deep json": ("motion", lambda f, _: written(f / "a.json", b'{"values": ' + b"[" * 100_000)),
    "a second of flac that claims a month": ("sound", lambda f, _: long_flac(f / "a.flac", 720.0)),
    "a wav of four billion samples a second": ("sound", lambda f, _: odd_wav(f / "a.wav", (1 << 32) - 1, 1)),
    "a wav of sixty thousand channels": ("sound", lambda f, _: odd_wav(f / "a.wav", 16_000, 60_000)),
    "a csv with a field of megabytes": ("motion", lambda f, _: written(f / "a.csv", b"Timecode\n" + b"1" * 4_000_000)),
}


def long_flac(path: Path, hours: float) -> Path:
    """A second of sound that says it lasts hours."""
    data = bytearray(encoded(babble(1.0, 48_000), 48_000, "FLAC", "PCM_16"))
    facts = int.from_bytes(data[18:26], "big") >> 36 << 36  # rate, channels and bits; then 36 bits of length
    data[18:26] = (facts | round(hours * 3600 * 48_000)).to_bytes(8, "big")
    return written(path, bytes(data))


def odd_wav(path: Path, rate: int, channels: int) -> Path:
    data = bytearray(encoded(babble(1.0)))
    struct.pack_into(
        "<HIIH", data, 22, channels, rate, min(rate * 2 * channels, (1 << 32) - 1), min(2 * channels, 65535)
    )
    return written(path, bytes(data))


def test_a_sound_that_claims_hours_is_as_long_as_it_is(tmp_path: Path):
    """Two seconds of mp3 whose header counts the frames of ten hours."""
    data = bytearray(encoded(babble(2.0, 24_000), 24_000, "MP3"))
    struct.pack_into(">I", data, data.index(b"Xing") + 8, 10 * 3600 * 24_000 // 576)
    path = written(tmp_path / "a.mp3", bytes(data))
    assert soundfile.info(path).duration > 35_000
    assert len(audio.decode(path)) / 16_000 == pytest.approx(2.0, abs=0.1)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_bombs_are_refused_before_memory_is_taken(victim: Victim, tmp_path: Path, models: Path, record):
    for name, (kind, make) in BOMBS.items():
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        assert victim.read(kind, make(folder, models)) == "sentence", name
        shutil.rmtree(folder)
    record("tensor-size and zip bombs", len(BOMBS), f"refused in one sentence; at most {victim.peak / MB:.0f} MB taken")


NUMBERS = (1 << 40, 8192, -1, 0, 0.5, 512, 65536, 1 << 22)
"""What may stand in a description in the place of any number: at most eight thousand channels are believed."""


def test_descriptions_with_other_numbers_are_refused(victim: Victim, tmp_path: Path, models: Path, times, record):
    """Each number in the description of each kind of model in turn, in a file without its tensors."""
    shipped = (ROOT / "backend" / "weights" / f"{name}.safetensors" for name in ("default", "diffusion"))
    tried, path = 0, tmp_path / "a.safetensors"
    for whole in (models / "tiny.safetensors", speech_model(tmp_path), *shipped):
        with checkpoint.safe_open(whole, "pt") as file:
            header = json.loads(file.metadata()[checkpoint.METADATA_KEY])
        for place, key in numbers(header["config"]):
            kept = place[key]
            for place[key] in NUMBERS[: times(2, len(NUMBERS))]:
                save_file({}, path, {checkpoint.METADATA_KEY: json.dumps(header)})
                assert victim.read("model", path) == "sentence", (whole.name, key, place[key])
                tried += 1
            place[key] = kept
    record(
        "models described by other numbers", tried, f"refused in one sentence; at most {victim.peak / MB:.0f} MB taken"
    )


def numbers(described: dict | list) -> Iterator[tuple[dict | list, str | int]]:
    """Where there are numbers in a description: what holds them, and their name or place; of a list's, the first."""
    for key, value in described.items() if isinstance(described, dict) else list(enumerate(described))[:1]:
        if isinstance(value, dict | list):
            yield from numbers(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield described, key


def speech_model(folder: Path) -> Path:
    """A UniTalker with a small speech encoder."""
    encoder = SpeechEncoderConfig("wavlm", 32, 2, 4, 64, (16,) * 7, position_kernel=16, position_groups=4)
    model = UniTalker(UniTalkerConfig(encoder, "conv", 32, 2, (HeadConfig("arkit", 52),)))
    path = folder / "speech.safetensors"
    checkpoint.save(path, model, [face.arkit()], ["ann"], checkpoint.ModelCard("speech", "Speech", ""))
    return path


def test_weights_that_are_no_numbers_are_refused(victim: Victim, tmp_path: Path, models: Path, times, record):
    tried = 0
    for broken in (float("nan"), float("inf"), -float("inf"))[: times(1, 3)]:
        for name in sorted(load_file(models / "tiny.safetensors")):
            assert victim.read("model", spoiled_model(tmp_path, models, name, broken)) == "sentence", name
            tried += 1
        official = torch.load(CASE / "checkpoint.pt", weights_only=True)
        next(iter(official.values())).view(-1)[0] = broken
        torch.save(official, tmp_path / "a.pt")
        assert victim.read("official", tmp_path / "a.pt") == "sentence"
        tried += 1
    record("weights that are NaN or infinite, each tensor in turn", tried, "refused in one sentence")


def spoiled_model(folder: Path, models: Path, name: str, value: float) -> Path:
    """One of our models with one number in one tensor that is none."""
    tensors = load_file(models / "tiny.safetensors")
    tensors[name] = tensors[name].clone()
    tensors[name].view(-1)[-1] = value
    with checkpoint.safe_open(models / "tiny.safetensors", "pt") as file:
        save_file(tensors, folder / "a.safetensors", file.metadata())
    return folder / "a.safetensors"


def test_hostile_pickles_run_nothing(victim: Victim, tmp_path: Path, record):
    """Each one as a FLAME file, as a checkpoint of today's torch, and as one of old."""
    mark = tmp_path / "ran"
    for number, name in enumerate(HOSTILE):
        program = hostile(name, mark)
        files = {
            "flame": written(tmp_path / f"{number}.pkl", program),
            "official": torch_archive(tmp_path / f"{number}.pt", program),
        }
        for kind, path in files.items():
            assert victim.read(kind, path) == "sentence", (name, kind)
        old = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
        assert victim.read("official", written(tmp_path / f"{number}.pth", old + program)) == "sentence", name
        assert not mark.exists(), name
    record("hostile pickles (FLAME, .pt, .pth)", 3 * len(HOSTILE), "refused in one sentence; nothing was run")
